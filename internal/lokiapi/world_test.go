package lokiapi_test

import (
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
)

// A world is the same records in a real Loki and in our API.
type world struct {
	start  time.Time // of the records, a whole minute
	loki   string    // addresses
	ours   string
	memory *sourcetest.Memory
	pushed map[string]*pushStream
}

type pushStream struct {
	Stream map[string]string `json:"stream"`
	Values [][3]any          `json:"values"`
}

// fill makes a world that begins at start; a real Loki may join it later.
func fill(start time.Time) *world {
	w := &world{start: start, memory: sourcetest.New(), pushed: map[string]*pushStream{}}
	w.records()
	w.oddLines()
	return w
}

// add keeps a record for both, at seconds (with nine exact digits) of the world.
func (w *world) add(stream labels.Labels, after time.Duration, line string, metadata ...string) {
	at := w.start.Add(after).UnixNano()
	var pairs []record.Pair
	third := map[string]string{}
	for i := 0; i < len(metadata); i += 2 {
		pairs = append(pairs, record.Pair{Name: metadata[i], Value: metadata[i+1]})
		third[metadata[i]] = metadata[i+1]
	}
	w.memory.Add(stream, at, line, pairs...)
	p := w.pushed[stream.String()]
	if p == nil {
		p = &pushStream{Stream: stream.Map()}
		w.pushed[stream.String()] = p
	}
	p.Values = append(p.Values, [3]any{strconv.FormatInt(at, 10), line, third})
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
