//go:build oracle

package lokiapi_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/lokitest"
)

func newWorld(t *testing.T) *world {
	w := fill(time.Now().Add(-25 * time.Minute).Truncate(time.Minute))
	w.loki = lokitest.Start(t, t.TempDir()).URL
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
