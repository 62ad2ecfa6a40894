//go:build oracle

package lokiapi_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
)

func newWorld(t *testing.T) *world {
	w := &world{start: time.Now().Add(-25 * time.Minute).Truncate(time.Minute), memory: sourcetest.New(), pushed: map[string]*pushStream{}}
	w.records()
	w.oddLines()
	w.loki = startLoki(t)
	w.push(t)
	api, err := lokiapi.New(lokiapi.Options{Source: w.memory, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(api.Close)
	w.ours = server.URL
	return w
}

// records are twenty minutes of three apps: JSON, logfmt and stacks, on the
// boundaries of windows, in the same millisecond and in the same nanosecond.
func (w *world) records() {
	stream := func(app, kind, level string) labels.Labels {
		return labels.FromStrings("app", app, "bucket", "main", "daemon", "deploy", "host", "h"+strconv.Itoa(len(app)%2), "kind", kind, "level", level, "pm2_namespace", "default")
	}
	for i := range 120 {
		after := time.Duration(i) * 10 * time.Second
		n := strconv.Itoa(i)
		w.add(stream("shop", "event", "info"), after, fmt.Sprintf(`{"event":"order","n":%d,"took":"%dms","size":"%dkb","user":{"id":%d,"name":"Käthe %d"},"ok":%t,"tags":["a"],"app":"inner"}`, i, i*7%50, i%9, i%5, i%3, i%2 == 0),
			"event", "order", "version", "1."+strconv.Itoa(i/40), "pm_id", strconv.Itoa(i%4))
		w.add(stream("cart", "slow_request", "warn"), after+time.Duration(i), fmt.Sprintf(`method=GET path="/cart/%d items" status=%d took=%dms bytes=%dB broken`, i%7, 200+100*(i%4), i*13%900, i*100),
			"route", "/cart/:id", "seconds", fmt.Sprintf("%.3f", float64(i%11)/4), "code", strconv.Itoa(200+100*(i%4)))
		if i%5 == 0 {
			w.add(stream("api", "exception", "error"), after+time.Millisecond, "TypeError: cannot read "+n+"\n    at handler (routes/users.js:1:2)", "fingerprint", "f"+strconv.Itoa(i%3), "version", "2", "pm_id", "0")
			w.add(stream("api", "exception", "error"), after+time.Millisecond, "TypeError: same nanosecond "+n, "fingerprint", "f"+strconv.Itoa(i%3), "version", "2", "pm_id", "1")
			w.add(stream("api", "exception", "error"), after+time.Millisecond+1, "错误：购物车是空的 "+n, "fingerprint", "f9")
		}
		if i%30 == 7 {
			w.add(stream("shop", "exit", "info"), after, "exited: crash, code 1", "reason", "crash", "code", "1")
		}
	}
}

// odd lines are hard to parse.
func (w *world) oddLines() {
	ls := labels.FromStrings("app", "odd", "bucket", "odd")
	for i, line := range []string{
		`{"a":null,"b":"","c":{},"d":[],"e":1.50,"f":-1e5,"g":"\u00e9\n\"","h":{"i":{"j":1},"k":[1]}}`,
		`{"a":1,"a":2,"A":3,"x y":4,"1st":5,"é":6,"":7,"x-y":8}`,
		`{"a":1} trailing`, `  {"a":1}`, `[1,2]`, `"text"`, `5`, `{}`, `null`,
		`a=1 a=2 b="x \"y\" z" c= d="" e f=1=2 "g"=3 h=é`, `=x a=1`, `a="unfinished`, `a==1`, `1a=2 b.c=3 é=4`, "tab\there a=1\tb=2", "a=\"line\nbreak\" b=2",
	} {
		w.add(ls, time.Duration(i)*time.Minute+time.Second, line)
	}
	for i, line := range []string{`{"a":1,`, `{"a":1,"b":{"c":tru}}`, `{"a":1 "b":2}`} {
		w.add(labels.FromStrings("app", "broken", "bucket", "odd"), time.Duration(i)*time.Minute+time.Second, line)
	}
}

// A question is asked of both.
type question struct {
	query  string
	set    string // further parameters, as in a URL
	path   string // query_range, unless said
	differ string // why the answers differ; they have to
	flags  bool   // categorize-labels
}

func (w *world) params(q question) url.Values {
	p, err := url.ParseQuery(q.set)
	if err != nil {
		panic(err)
	}
	if q.query != "" {
		p.Set("query", q.query)
	}
	move := func(name, fallback string) {
		value := p.Get(name)
		if value == "" {
			value = fallback
		}
		if d, err := time.ParseDuration(value); err == nil { // of the world
			p.Set(name, strconv.FormatInt(w.start.Add(d).UnixNano(), 10))
		}
	}
	if q.path == "query" {
		move("time", "20m")
	} else {
		move("start", "0s")
		move("end", "20m")
	}
	return p
}

func TestLokiAnswersTheSame(t *testing.T) {
	w := newWorld(t)
	for i, q := range questions {
		path := q.path
		if path == "" {
			path = "query_range"
		}
		name := fmt.Sprintf("%02d %s %s %s", i, path, q.query, q.set)
		t.Run(strings.ReplaceAll(name, "/", "|"), func(t *testing.T) {
			header := http.Header{}
			if q.flags {
				header.Set("X-Loki-Response-Encoding-Flags", "categorize-labels")
			}
			lokiStatus, lokiBody := w.ask(t, w.loki, path, header, w.params(q))
			ourStatus, ourBody := w.ask(t, w.ours, path, header, w.params(q))
			loki, ours := normal(lokiStatus, lokiBody), normal(ourStatus, ourBody)
			if equal := same(loki, ours); equal == (q.differ != "") {
				t.Errorf("equal: %t, expected to differ: %q\n%.2500s", equal, q.differ, difference(loki, ours))
				if lokiStatus != ourStatus {
					t.Errorf("Loki: %.300s\nours: %.300s", lokiBody, ourBody)
				}
			}
			if os.Getenv("SHOW") != "" {
				t.Logf("Loki: %d %.300s\nours: %d %.300s", lokiStatus, lokiBody, ourStatus, ourBody)
			}
		})
	}
}
