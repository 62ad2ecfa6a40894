package lokiapi_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/lokiapi"
)

// FuzzRequests: whatever is asked, the answer is JSON or an error of whoever
// asked, never one of the server.
func FuzzRequests(f *testing.F) {
	paths := []string{"query_range", "query", "series", "labels", "label/app/values", "index/stats", "index/volume", "format_query", "detected_labels"}
	f.Add(uint8(0), `sum(rate({app="shop"}[5m] offset 200y))`, "1699999950", "2023-11-14T22:12:30.5Z", "0.5", "7", "")
	f.Add(uint8(0), `{app="shop"}`, "-9223372036854775808", "9223372036854775807", "1e300", "-1", "99999w")
	f.Add(uint8(1), `quantile_over_time(NaN, {app="shop"} | unwrap x [292y]) by (app)`, "1e10", "0001-01-01T00:00:00Z", "1ns", "1", "1d")
	f.Add(uint8(6), `{app="shop"}`, "0", "", "", "", "")
	f.Fuzz(func(t *testing.T, path uint8, query, start, end, step, limit, since string) {
		api, err := lokiapi.New(lokiapi.Options{Source: few(), Logger: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{}
		for name, value := range map[string]string{"query": query, "match[]": query, "start": start, "time": start, "end": end, "step": step, "interval": step, "limit": limit, "since": since, "targetLabels": query} {
			if value != "" {
				form.Set(name, value)
			}
		}
		w := httptest.NewRecorder()
		api.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/loki/api/v1/"+paths[int(path)%len(paths)]+"?"+form.Encode(), nil))
		if w.Code >= 500 || w.Code == http.StatusOK && !json.Valid(w.Body.Bytes()) {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}
