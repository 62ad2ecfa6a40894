package lokiapi_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// now is the time of all tests.
var now = time.Unix(1_700_000_000, 0)

func at(seconds float64) int64 { return now.UnixNano() + int64(seconds*1e9) }

var (
	shop = labels.FromStrings("app", "shop", "bucket", "b", "host", "h1", "kind", "exception", "level", "error")
	cart = labels.FromStrings("app", "cart", "bucket", "b", "host", "h1", "kind", "event", "level", "info")
)

// few has some records of two apps, two of them at the same nanosecond.
func few() *sourcetest.Memory {
	m := sourcetest.New()
	m.Add(shop, at(-100), "TypeError: x is \"not\" a <function>", record.Pair{Name: "fingerprint", Value: "f1"}, record.Pair{Name: "version", Value: "1"})
	m.Add(shop, at(-100), "TypeError: y", record.Pair{Name: "fingerprint", Value: "f1"}, record.Pair{Name: "version", Value: "1"})
	m.Add(shop, at(-50), "购物车是空的", record.Pair{Name: "fingerprint", Value: "f2"})
	m.Add(cart, at(-40), `{"took":"20ms","n":5,"deep":{"a":true},"app":"other"}`)
	m.Add(cart, at(-30), `not json`)
	return m
}

func newAPI(t *testing.T, source lokiapi.Source, change ...func(*lokiapi.Options)) *lokiapi.API {
	t.Helper()
	o := lokiapi.Options{Source: source, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }, Version: "test"}
	for _, f := range change {
		f(&o)
	}
	api, err := lokiapi.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(api.Close)
	return api
}

// get returns the status and the body of an answer. Parameters come in pairs.
func get(t *testing.T, h http.Handler, path string, params ...string) (int, string) {
	t.Helper()
	return ask(t, h, http.MethodGet, path, nil, params...)
}

func ask(t *testing.T, h http.Handler, method, path string, header http.Header, params ...string) (int, string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		form.Add(params[i], params[i+1])
	}
	target, body := "/loki/api/v1/"+path+"?"+form.Encode(), io.Reader(nil)
	if method == http.MethodPost {
		target, body = "/loki/api/v1/"+path, strings.NewReader(form.Encode())
	}
	r := httptest.NewRequest(method, target, body)
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, values := range header {
		r.Header[name] = values
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// without takes the statistics out of an answer; they have times in them.
func without(stats string) string {
	if i := strings.Index(stats, `,"stats":`); i >= 0 {
		return stats[:i]
	}
	return strings.TrimSpace(stats)
}

// TestShapes holds answers to the form that clients read, byte for byte.
func TestShapes(t *testing.T) {
	h := newAPI(t, few()).Handler()
	categorize := http.Header{"X-Loki-Response-Encoding-Flags": {"some-flag, categorize-labels"}}
	for _, test := range []struct {
		path   string
		header http.Header
		params []string
		want   string
	}{
		{
			"query_range", nil,
			[]string{"query", `{app="shop"}`, "limit", "2", "direction", "forward"},
			`{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"shop","bucket":"b","fingerprint":"f1","host":"h1","kind":"exception","level":"error","version":"1"},` +
				`"values":[["1699999900000000000","TypeError: x is \"not\" a <function>"],["1699999900000000000","TypeError: y"]]}]`,
		},
		{
			"query_range", categorize,
			[]string{"query", `{app=~"shop|cart"} | json | n=5 or fingerprint="f2"`},
			`{"status":"success","data":{"resultType":"streams","encodingFlags":["categorize-labels"],"result":[` +
				`{"stream":{"app":"shop","bucket":"b","host":"h1","kind":"exception","level":"error"},"values":[["1699999950000000000","购物车是空的",{"structuredMetadata":{"fingerprint":"f2"},"parsed":{"__error__":"JSONParserErr","__error_details__":"the line is no JSON object"}}]]},` +
				`{"stream":{"app":"cart","bucket":"b","host":"h1","kind":"event","level":"info"},"values":[["1699999960000000000","{\"took\":\"20ms\",\"n\":5,\"deep\":{\"a\":true},\"app\":\"other\"}",{"parsed":{"app_extracted":"other","deep_a":"true","n":"5","took":"20ms"}}]]}]`,
		},
		{
			"query_range", nil,
			[]string{"query", `sum by (app) (count_over_time({bucket="b"}[1m]))`, "start", "1699999920", "end", "1699999980", "step", "30s"},
			`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"app":"cart"},"values":[[1699999980,"2"]]},{"metric":{"app":"shop"},"values":[[1699999920,"2"],[1699999950,"3"],[1699999980,"1"]]}]`,
		},
		{
			"query", nil,
			[]string{"query", `rate({app="shop"}[100s2ms])`, "time", "1700000000.001"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"app":"shop","bucket":"b","fingerprint":"f1","host":"h1","kind":"exception","level":"error","version":"1"},"value":[1700000000.001,"0.01999960000799984"]},` +
				`{"metric":{"app":"shop","bucket":"b","fingerprint":"f2","host":"h1","kind":"exception","level":"error"},"value":[1700000000.001,"0.00999980000399992"]}]`,
		},
		{"query", nil, []string{"query", `vector(1)+vector(1)`}, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"2"]}]`},
		{"query", nil, []string{"query", `vector(0) / 0`}, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000,"NaN"]}]`},
		{"query", nil, []string{"query", `1+1`}, `{"status":"success","data":{"resultType":"scalar","result":[1700000000,"2"]`},
		{"labels", nil, nil, `{"data":["app","bucket","host","kind","level"],"status":"success"}`},
		{"label/app/values", nil, []string{"query", `{kind="event"}`}, `{"data":["cart"],"status":"success"}`},
		{"label/none/values", nil, nil, `{"data":[],"status":"success"}`},
		{"series", nil, []string{"match[]", `{app="cart"}`, "match[]", `{kind="event"}`}, `{"data":[{"app":"cart","bucket":"b","host":"h1","kind":"event","level":"info"}],"status":"success"}`},
		{"index/stats", nil, []string{"query", `{app="cart"}`}, `{"bytes":61,"chunks":1,"entries":2,"streams":1}`},
		{
			"index/volume", nil,
			[]string{"query", `{bucket="b"}`, "targetLabels", "app,level", "limit", "1"},
			`{"status":"success","data":{"resultType":"vector","result":[{"metric":{"app":"shop","level":"error"},"value":[1700000000,"119"]}]`,
		},
		{"index/volume", nil, []string{"query", `{app=~".+"}`, "aggregateBy", "labels"}, `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"app":""},"value":[1700000000,"180"]}]`},
		{"index/volume_range", nil, []string{"query", `{app="shop"}`}, `{"status":"success","data":{"resultType":"matrix","result":[]`},
		{"patterns", nil, []string{"query", `{app="shop"}`}, `{"data":[],"status":"success"}`},
		{"detected_labels", nil, nil, `{"detectedLabels":[{"label":"app","cardinality":2},{"label":"bucket","cardinality":1},{"label":"host","cardinality":1},{"label":"kind","cardinality":2},{"label":"level","cardinality":2}]}`},
		{"detected_fields", nil, []string{"query", `{app="shop"}`}, `{"fields":[],"limit":100}`},
		{"detected_field/x/values", nil, nil, `{"limit":100,"values":[]}`},
		{"format_query", nil, []string{"query", `sum(rate({app="shop"}|="x"[5m]))by(app)`}, `{"data":"sum by (app) (rate({app=\"shop\"} |= \"x\" [5m]))","status":"success"}`},
	} {
		status, body := ask(t, h, http.MethodGet, test.path, test.header, test.params...)
		if got := without(body); status != http.StatusOK || got != test.want {
			t.Errorf("%s %q: %d\n got %s\nwant %s", test.path, test.params, status, got, test.want)
		}
		postStatus, postBody := ask(t, h, http.MethodPost, test.path, test.header, test.params...)
		if postStatus != status || without(postBody) != without(body) {
			t.Errorf("%s %q, posted: %d %s", test.path, test.params, postStatus, postBody)
		}
	}
}

func TestStatisticsAreThere(t *testing.T) {
	_, body := get(t, newAPI(t, few()).Handler(), "query_range", "query", `{app="shop"}`)
	for _, want := range []string{`"totalLinesProcessed":3`, `"totalBytesProcessed":64`, `"execTime":`, `"totalEntriesReturned":3`} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in %s", want, body)
		}
	}
}

// TestTimes asks for the same in all the forms that a time has.
func TestTimes(t *testing.T) {
	h := newAPI(t, few()).Handler()
	for _, params := range [][]string{
		{"start", "1699999950000000000", "end", "1699999950000000001"},
		{"start", "1699999950", "end", "1699999951"},
		{"start", "1699999949.999", "end", "1699999950.001"},
		{"start", "2023-11-14T22:12:30Z", "end", "2023-11-14T22:12:30.5Z"},
		{"start", "2023-11-14T23:12:30+01:00", "end", "2023-11-14T22:12:30.000000001Z"},
		{"since", "50s", "end", "1699999951"},
		{"since", "1h"},
		{},
	} {
		status, body := get(t, h, "query_range", append(params, "query", `{app="shop"} | fingerprint="f2"`)...)
		if status != http.StatusOK || !strings.Contains(body, "1699999950000000000") {
			t.Errorf("%q: %d %s", params, status, body)
		}
	}
	for _, end := range []string{"1699999950000000000", "1699999950", "2023-11-14T22:12:30Z"} {
		if _, body := get(t, h, "query_range", "query", `{app="shop"} | fingerprint="f2"`, "end", end, "since", "1h"); strings.Contains(body, "1699999950000000000") {
			t.Errorf("the end %s is not exclusive: %s", end, body)
		}
	}
}

func TestRefusals(t *testing.T) {
	h := newAPI(t, few(), func(o *lokiapi.Options) { o.MaxResponse = 500 }).Handler()
	for _, test := range []struct {
		path   string
		params []string
		want   string
	}{
		{"query_range", []string{"query", `{app="shop"`}, "parse error at line 1, col 12"},
		{"query_range", []string{"query", `{app="shop"} | pattern "<x>"`}, "outside of the subset"},
		{"query_range", []string{"query", `{}`}, "at least one"},
		{"query_range", nil, "parse error at line 1, col 1"},
		{"query", []string{"query", `{app="shop"}`}, "log queries are not supported as an instant query type"},
		{"query", []string{"query", `1`, "time", "soon"}, "could not parse 'soon' as timestamp"},
		{"query_range", []string{"query", `{app="shop"}`, "limit", "0"}, "limit must be a positive value"},
		{"query_range", []string{"query", `{app="shop"}`, "limit", "5001"}, "max_entries_limit_per_query (5001 > 5000)"},
		{"query_range", []string{"query", `{app="shop"}`, "direction", "up"}, "invalid direction 'up'"},
		{"query_range", []string{"query", `{app="shop"}`, "start", "10", "end", "5"}, "end timestamp must not be before"},
		{"query_range", []string{"query", `{app="shop"}`, "since", "x"}, "since"},
		{"query_range", []string{"query", `{app="shop"}`, "step", "-1"}, "zero or negative query resolution"},
		{"query_range", []string{"query", `{app="shop"}`, "step", "0.1"}, "maximum resolution of 11,000"},
		{"query_range", []string{"query", `{app="shop"}`, "interval", "-1"}, "interval must be >= 0"},
		{"query_range", []string{"query", `rate({app="cart"} | json [5m])`, "start", "1699999000"}, "pipeline error: 'JSONParserErr'"},
		{"query_range", []string{"query", `{app="shop"}`}, "larger than 500 bytes (max_response)"},
		{"query", []string{"query", `rate({app="shop"}[5m]) + on (host) rate({app="shop"}[5m])`}, "duplicate series"},
		{"label/app/values", []string{"query", `{app=}`}, "parse error"},
		{"series", []string{"match[]", `{app!="x"}`}, "at least one"},
		{"tail", []string{"query", `rate({app="shop"}[5m])`}, "only log queries"},
		{"tail", []string{"query", `{app="shop"}`, "delay_for", "6"}, "delay_for can't be greater than 5"},
	} {
		status, body := get(t, h, test.path, test.params...)
		if status != http.StatusBadRequest || !strings.Contains(body, test.want) {
			t.Errorf("%s %q: %d %s, want %q", test.path, test.params, status, body, test.want)
		}
	}
	if status, _ := get(t, h, "push"); status != http.StatusNotFound {
		t.Errorf("push: %d", status)
	}
	if status, _ := ask(t, h, http.MethodDelete, "query_range", nil); status != http.StatusMethodNotAllowed {
		t.Errorf("DELETE: %d", status)
	}
	if status, _ := ask(t, h, http.MethodPost, "query", nil, "query", strings.Repeat(" ", 300<<10)); status != http.StatusBadRequest {
		t.Errorf("a large form: %d", status)
	}
}

// TestPagingLosesNothing pages as logcli does: from the last time on, leaving out
// what it has seen at that time.
func TestPagingLosesNothing(t *testing.T) {
	m := sourcetest.New()
	for i := range 100 {
		m.Add(shop, at(-100+float64(i/7)), fmt.Sprint("line ", i))
	}
	h := newAPI(t, m).Handler()
	for _, direction := range []string{"forward", "backward"} {
		var got, atLast []string
		start, end, last := at(-1000), at(0), int64(0)
		for page := 0; ; page++ {
			_, body := get(t, h, "query_range", "query", `{app="shop"}`, "direction", direction, "limit", fmt.Sprint(9+len(atLast)), "start", fmt.Sprint(start), "end", fmt.Sprint(end))
			fresh := 0
			for _, e := range entries(t, body) {
				if slices.Contains(atLast, e[1]) {
					continue
				}
				fresh++
				got = append(got, e[1])
				if ns, _ := strconv.ParseInt(e[0], 10, 64); ns != last {
					last, atLast = ns, nil
				}
				atLast = append(atLast, e[1])
			}
			if fresh == 0 || page > 50 {
				break
			}
			if direction == "forward" {
				start = last
			} else {
				end = last + 1
			}
		}
		slices.Sort(got)
		if len(got) != 100 || len(slices.Compact(got)) != 100 {
			t.Errorf("%s: %d lines, with repetitions or gaps", direction, len(got))
		}
	}
}

// entries of an answer with one stream.
func entries(t *testing.T, body string) [][2]string {
	t.Helper()
	var answer struct {
		Data struct {
			Result []struct{ Values [][2]string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil || len(answer.Data.Result) > 1 {
		t.Fatalf("%v: %s", err, body)
	}
	if len(answer.Data.Result) == 0 {
		return nil
	}
	return answer.Data.Result[0].Values
}

// blocked is a source whose answers wait.
type blocked struct {
	*sourcetest.Memory
	asked chan struct{}
}

func (b *blocked) Entries(ctx context.Context, _ sessionstore.Selection, _ func(*sessionstore.Entry) bool) error {
	b.asked <- struct{}{}
	<-ctx.Done()
	return ctx.Err()
}

func TestSlowQueriesWaitAndEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &blocked{few(), make(chan struct{}, 10)}
		h := newAPI(t, source, func(o *lokiapi.Options) {
			o.MaxConcurrent, o.MaxQueued, o.Limits.Timeout = 1, 1, 10*time.Second
		}).Handler()
		statuses := make(chan int, 3)
		query := func() {
			status, body := get(t, h, "query_range", "query", `{app="shop"}`)
			if status == http.StatusGatewayTimeout && !strings.Contains(body, "10s (timeout)") {
				t.Error(body)
			}
			statuses <- status
		}
		go query()
		<-source.asked
		go query()
		synctest.Wait()
		if status, body := get(t, h, "query_range", "query", `{app="shop"}`); status != http.StatusTooManyRequests || !strings.Contains(body, "max_queued") {
			t.Errorf("a third one: %d %s", status, body)
		}
		for range 2 {
			if status := <-statuses; status != http.StatusGatewayTimeout {
				t.Errorf("got %d", status)
			}
		}
	})
}

type failing struct{ *sourcetest.Memory }

func (failing) Entries(context.Context, sessionstore.Selection, func(*sessionstore.Entry) bool) error {
	return errors.New("/var/lib/secret.db is gone")
}

func TestErrorsOfTheStoreStayInside(t *testing.T) {
	status, body := get(t, newAPI(t, failing{few()}).Handler(), "query_range", "query", `{app="shop"}`)
	if status != http.StatusInternalServerError || strings.Contains(body, "secret") {
		t.Errorf("%d %s", status, body)
	}
}
