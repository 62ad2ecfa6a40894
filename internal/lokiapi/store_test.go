package lokiapi_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// TestTheStoreAnswersAsMemoryDoes asks both the same, of the same records.
func TestTheStoreAnswersAsMemoryDoes(t *testing.T) {
	begin := time.Now().Add(-time.Hour).Truncate(time.Minute)
	clock := func() time.Time { return begin.Add(30 * time.Minute) }
	store, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "s.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	for b := range 4 {
		var records []*record.Record
		for range 200 {
			at := begin.Add(time.Duration(rng.IntN(120)) * 10 * time.Second)
			r := &record.Record{V: record.Version, ID: record.NewID(at), At: at.UnixNano() + int64(rng.IntN(2)), Host: fmt.Sprint("h", rng.IntN(2)), Daemon: "deploy", Namespace: "default", App: fmt.Sprint("app", rng.IntN(4)), PMID: rng.IntN(3), Version: "1", Level: record.LevelInfo, Source: record.FromPM2}
			switch rng.IntN(4) {
			case 0:
				r.Kind, r.Exit = record.Exit, &record.ExitInfo{Reason: "crash", Code: 1}
			case 1:
				r.Kind, r.Level, r.Occurrences = record.Exception, record.LevelError, uint64(rng.IntN(9))
				r.Exception = &record.ExceptionInfo{Fingerprint: fmt.Sprintf("%064x", rng.IntN(9)), Algo: 1, Title: "TypeError: x", Name: "TypeError", Message: "x", Stack: "TypeError: x\n  at y", Mechanism: record.Uncaught}
			case 2:
				r.Kind, r.Request = record.SlowRequest, &record.RequestInfo{Method: "GET", Route: "/购物车/:id", Code: 200 + 100*rng.IntN(4), Seconds: rng.Float64() * 3}
			case 3:
				r.Kind = record.Start
			}
			records = append(records, r)
		}
		if _, _, err := store.Push(context.Background(), fmt.Sprint("b", b%2), record.Agent{Host: "h", Version: "1"}, records); err != nil {
			t.Fatal(err)
		}
	}
	memory := sourcetest.New()
	n := 0
	err = store.Entries(context.Background(), sessionstore.Selection{End: math.MaxInt64}, func(e *sessionstore.Entry) bool {
		memory.Add(e.Stream.Labels, e.At, e.Line, e.Metadata...)
		n++
		return true
	})
	if err != nil || n < 800 {
		t.Fatal(n, err)
	}
	fromStore, fromMemory := newAPI(t, store).Handler(), newAPI(t, memory).Handler()
	start, end := fmt.Sprint(begin.UnixNano()), fmt.Sprint(begin.Add(20*time.Minute).UnixNano())
	for _, query := range []string{
		`{bucket="b0"}`, `{bucket=~".+", app!="app1"} |= "TypeError"`, `{kind="slow_request"} | seconds > 1 | code >= 400`, `{level="error"} | fingerprint=~".*[135]"`,
		`sum by (app) (count_over_time({bucket=~".+"}[1m]))`, `sum by (kind, level) (rate({bucket="b1"}[5m]))`, `sum(count_over_time({bucket=~".+"}[10s]))`,
		`sum by (fingerprint) (sum_over_time({kind="exception"} | unwrap occurrences [5m]))`, `quantile_over_time(0.9, {kind="slow_request"} | unwrap seconds [5m]) by (route)`,
		`topk(1, sum by (fingerprint) (sum_over_time({kind="exception"} | unwrap occurrences [20m])))`, `count_over_time({kind="exit"}[5m])`,
		`sum by (app) (sum_over_time({kind="exception"} | unwrap occurrences [5m]))`, `sum(rate({bucket=~".+"} | unwrap occurrences [90s]))`, `sum by (host) (sum_over_time({kind=~"e.*"} | unwrap occurrences [1h] offset 7m))`,
		`sum by (app) (count_over_time({bucket=~".+"}[1h]))`, `topk(2, sum by (app) (count_over_time({kind="exit"}[7s])))`, `sum by (reason, code) (count_over_time({kind=~"exit|slow_request"}[5m]))`, `sum by (app) (bytes_over_time({bucket=~".+"}[1m]))`, `absent_over_time({app="app3"}[10s])`,
	} {
		for _, direction := range []string{"forward", "backward"} {
			params := []string{"query", query, "start", start, "end", end, "step", "30", "limit", "1000", "direction", direction}
			began := time.Now()
			a, bodyA := get(t, fromStore, "query_range", params...)
			took := time.Since(began)
			b, bodyB := get(t, fromMemory, "query_range", params...)
			if diff := cmp.Diff(normal(b, []byte(bodyB)), normal(a, []byte(bodyA))); a != 200 || diff != "" {
				t.Errorf("%s: %d %.1500s", query, a, diff)
			}
			t.Log(query, took, len(bodyA))
		}
	}
	for _, path := range []string{"labels", "label/app/values", "series", "index/stats", "index/volume", "detected_labels"} {
		a, bodyA := get(t, fromStore, path, "query", `{bucket=~".+"}`, "start", start, "end", end)
		b, bodyB := get(t, fromMemory, path, "query", `{bucket=~".+"}`, "start", start, "end", end)
		if a != b || without(bodyA) != without(bodyB) {
			t.Errorf("%s: store %d %.500s\nmemory %d %.500s", path, a, bodyA, b, bodyB)
		}
	}
}
