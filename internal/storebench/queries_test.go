//go:build storebench

package storebench

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/lokiapi"
)

// A question is what a panel of a dashboard asks the read API.
type question struct {
	name, path, query string
	back              time.Duration // from now
	step              time.Duration // of query_range; 0: lines
	limit             int
}

const (
	hourLong = time.Hour
	dayLong  = 24 * time.Hour
	week     = 7 * dayLong
)

func lines(name, query string, back time.Duration, limit int) question {
	return question{name: name, path: "query_range", query: query, back: back, limit: limit}
}

func series(name, query string, back, step time.Duration) question {
	return question{name: name, path: "query_range", query: query, back: back, step: step}
}

func index(name, path, query string, back time.Duration) question {
	return question{name: name, path: path, query: query, back: back}
}

var questions = []question{
	lines("log of an app", `{app="app-03"}`, hourLong, 100),
	lines("log of everything", `{bucket="main"}`, dayLong, 100),
	lines("exceptions of an app", `{kind="exception", app="app-03"}`, dayLong, 100),
	lines("exceptions of one bug", `{kind="exception", app="app-03"} | fingerprint="`+fingerprintOf("app-03", "TypeError2")+`"`, dayLong, 100),
	lines("exceptions with a text in them", `{kind="exception", app="app-03"} |= "handler7"`, dayLong, 100),
	lines("log of a host", `{host="web-03"}`, week, 1000),
	lines("annotations: deploys", `{kind="deploy"}`, month, 1000),
	lines("annotations: exits", `{kind="exit"}`, week, 1000),
	lines("changes of exception groups", `{kind="group"}`, month, 1000),

	series("exceptions per hour", `sum by (app) (count_over_time({kind="exception"}[1h]))`, dayLong, hourLong),
	series("exceptions per hour", `sum by (app) (count_over_time({kind="exception"}[1h]))`, week, hourLong),
	series("occurrences per hour", `sum by (app) (sum_over_time({kind="exception"} | unwrap occurrences [1h]))`, week, hourLong),
	series("occurrences per day", `sum by (app) (sum_over_time({kind="exception"} | unwrap occurrences [1d]))`, week, dayLong),
	series("occurrences per day", `sum by (app) (sum_over_time({kind="exception"} | unwrap occurrences [1d]))`, 4*week, dayLong),
	{name: "occurrences, one number", path: "query", query: `sum(sum_over_time({kind="exception"} | unwrap occurrences [24h]))`},
	{name: "apps with the most exceptions", path: "query", query: `topk(10, sum by (app) (sum_over_time({kind="exception"} | unwrap occurrences [7d])))`},
	{name: "bugs of all apps with the most exceptions", path: "query", query: `topk(10, sum by (app, fingerprint) (sum_over_time({kind="exception"} | unwrap occurrences [24h])))`},
	{name: "bugs of an app with the most exceptions", path: "query", query: `topk(10, sum by (fingerprint) (sum_over_time({kind="exception", app="app-03"} | unwrap occurrences [7d])))`},
	series("one bug by version", `sum by (version) (sum_over_time({kind="exception", app="app-03"} | fingerprint="`+fingerprintOf("app-03", "TypeError2")+`" | unwrap occurrences [1h]))`, dayLong, hourLong),
	series("exits by reason", `sum by (reason) (count_over_time({kind="exit"}[1h]))`, dayLong, hourLong),
	series("exits by reason", `sum by (reason) (count_over_time({kind="exit"}[1d]))`, week, dayLong),
	series("slow requests per minute of an app", `sum(rate({kind="slow_request", app="app-03"}[5m]))`, dayLong, 5*time.Minute),
	series("slow requests by route, 95th percentile", `quantile_over_time(0.95, {kind="slow_request", app="app-03"} | unwrap seconds [1h]) by (route)`, dayLong, hourLong),
	series("slow requests by app, 95th percentile", `quantile_over_time(0.95, {kind="slow_request"} | unwrap seconds [1h]) by (app)`, dayLong, hourLong),
	series("volume of a log by level, in Explore", `sum by (level) (count_over_time({app="app-03"}[1m]))`, 6*hourLong, time.Minute),
	series("volume of a log by level, in Explore", `sum by (level) (count_over_time({app="app-03"}[5m]))`, dayLong, 5*time.Minute),
	series("volume of everything by level, in Explore", `sum by (level) (count_over_time({bucket="main"}[5m]))`, dayLong, 5*time.Minute),
	series("volume of everything by level, in Explore", `sum by (level) (count_over_time({bucket="main"}[1h]))`, week, hourLong),
	series("no sign of life of an app", `absent_over_time({app="app-03"}[5m])`, dayLong, 5*time.Minute),

	index("names of labels", "labels", "", month),
	index("values of a label", "label/app/values", "", month),
	index("values of a label, of some", "label/host/values", `{app="app-03"}`, hourLong),
	index("streams of an app", "series", `{app="app-03"}`, dayLong),
	index("bytes that a query would read", "index/stats", `{kind="exception"}`, week),
	index("volume by app", "index/volume", `{app=~".+"}`, month),
}

// moment is the now of who asks: on no border of an hour.
var moment = end.Add(-17*time.Minute - 13*time.Second)

func (q question) address(base string) string {
	v := url.Values{}
	if q.query != "" {
		v.Set("query", q.query)
	}
	if q.path == "query" {
		v.Set("time", strconv.FormatInt(moment.UnixNano(), 10))
		return base + "/loki/api/v1/query?" + v.Encode()
	}
	v.Set("start", strconv.FormatInt(moment.Add(-q.back).UnixNano(), 10))
	v.Set("end", strconv.FormatInt(moment.UnixNano(), 10))
	if q.step > 0 {
		v.Set("step", strconv.FormatFloat(q.step.Seconds(), 'f', -1, 64))
	}
	if q.limit > 0 {
		v.Set("limit", strconv.Itoa(q.limit))
	}
	return base + "/loki/api/v1/" + q.path + "?" + v.Encode()
}

// A measured question.
type measured struct {
	bytes              int
	first, median, cpu time.Duration
}

// ask asks some times. The CPU says how long it would take alone on a machine
// that does other work, too, if it is not spread over several.
func (q question) ask(t *testing.T, base string) (m measured) {
	t.Helper()
	const often = 7
	took := make([]time.Duration, often)
	cpu := cpuTime()
	for i := range took {
		began := time.Now()
		body := get(t, q.address(base))
		took[i] = time.Since(began)
		m.bytes = len(body)
		if !json.Valid(body) || len(body) < 20 {
			t.Fatalf("%s: %.200s", q.query, body)
		}
	}
	m.cpu = (cpuTime() - cpu) / often
	m.first = took[0]
	slices.Sort(took)
	m.median = took[often/2]
	return m
}

func get(t *testing.T, address string) []byte {
	t.Helper()
	r, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %.300s %v", address, r.Status, body, err)
	}
	return body
}

// TestQueries asks the read API over HTTP what dashboards ask.
func TestQueries(t *testing.T) {
	dir := folder(t)
	small := loaded(t, dir)
	asked := [2][]measured{}
	sizes := doctable.New("records", "file", "bytes a record", "load of the machine while it was asked")
	for i, store := range []struct {
		path    string
		records int
	}{{small, million}, {multiplied(t, dir, small), million * times}} {
		t.Run(fmt.Sprint(store.records), func(t *testing.T) {
			info, err := os.Stat(store.path)
			if err != nil {
				t.Fatal(err)
			}
			s := open(t, store.path)
			api, err := lokiapi.New(lokiapi.Options{Source: s, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return moment }})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(api.Handler())
			defer server.Close()
			for _, q := range questions {
				m := q.ask(t, server.URL)
				asked[i] = append(asked[i], m)
				t.Logf("%-45s %-9s %8s %8s %8s %8d %s", q.name, q.span(), ms(m.first), ms(m.median), ms(m.cpu), m.bytes, q.query)
			}
			sizes.Add(store.records, fmt.Sprintf("%.2f GB", float64(info.Size())/1e9), fmt.Sprintf("%.0f", float64(info.Size())/float64(store.records)), fmt.Sprintf("%.0f", load()))
		})
	}
	if t.Failed() {
		return
	}
	table := doctable.New("panel", "query", "range", "1 million: ms", "10 million: ms", "CPU", "the first time")
	for i, q := range questions {
		table.Add(q.name, "`"+q.shown()+"`", q.span(), ms(asked[0][i].median), ms(asked[1][i].median), ms(asked[1][i].cpu), ms(asked[1][i].first))
	}
	doc.Write(t, "queries", table)
	doc.Write(t, "size", sizes)
}

// shown is the query without what would not fit a table.
func (q question) shown() string {
	what := q.query
	if q.path != "query" && q.path != "query_range" {
		what = q.path + " " + q.query
	}
	what = hexadecimal.ReplaceAllStringFunc(what, func(h string) string { return h[:6] + "…" })
	return strings.ReplaceAll(what, "|", `\|`) // a cell of a table
}

var hexadecimal = regexp.MustCompile(`[0-9a-f]{64}`)

func (q question) span() string {
	switch {
	case q.back == 0:
		return "now"
	case q.back%dayLong == 0:
		return fmt.Sprintf("%d d", q.back/dayLong)
	}
	return fmt.Sprintf("%d h", q.back/time.Hour)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f", float64(d.Microseconds())/1000) }
