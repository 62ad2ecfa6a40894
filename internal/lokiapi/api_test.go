package lokiapi_test

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
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

func TestSmoke(t *testing.T) {
	h := newAPI(t, few()).Handler()
	for _, q := range []string{`{app="shop"}`, `{bucket="b"} | json`, `sum by (level, detected_level) (count_over_time({bucket="b"}[1m]))`, `vector(1)+vector(1)`, `topk(1, sum by (app) (rate({bucket="b"}[1m])))`} {
		t.Log(get(t, h, "query_range", "query", q, "start", "1699999880", "end", "1700000000", "step", "60"))
		t.Log(get(t, h, "query", "query", q))
	}
	for _, p := range []string{"labels", "label/app/values", "series", "index/stats", "index/volume", "status/buildinfo", "detected_labels", "drilldown-limits"} {
		t.Log(get(t, h, p, "query", `{app=~".+"}`))
	}
}
