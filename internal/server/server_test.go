package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// moment is when tests happen.
func moment() time.Time { return time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC) }

// goodToken is of bucket shop, otherToken of bucket bank.
const (
	goodToken  = "token-of-shop"
	otherToken = "token-of-bank"
)

// broken is a store that fails as told; what it is not told about it does not do.
// What a good one does is tested with the real one, from the outside.
type broken struct {
	Store
	mu     sync.Mutex
	err    error
	pushed map[string][]*record.Record
	wait   chan struct{}
	groups []sessionstore.Group
	hosts  []sessionstore.Host
}

func (b *broken) Push(ctx context.Context, bucket string, _ record.Agent, records []*record.Record) (int, int, error) {
	if b.wait != nil {
		select {
		case <-b.wait:
		case <-ctx.Done():
			return 0, 0, ctx.Err()
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return 0, 0, b.err
	}
	if b.pushed == nil {
		b.pushed = map[string][]*record.Record{}
	}
	b.pushed[bucket] = append(b.pushed[bucket], records...)
	return len(records), 0, nil
}

func (b *broken) Authenticate(_ context.Context, secret string) (string, error) {
	switch secret {
	case goodToken:
		return "shop", nil
	case otherToken:
		return "bank", nil
	}
	return "", sessionstore.ErrToken
}

func (b *broken) GroupStates(context.Context) (map[sessionstore.State]int, error) {
	return map[sessionstore.State]int{sessionstore.StateNew: len(b.groups)}, nil
}

func (b *broken) Groups(context.Context, sessionstore.GroupQuery) ([]sessionstore.Group, error) {
	return b.groups, nil
}

func (b *broken) Buckets(context.Context) ([]sessionstore.Bucket, error) {
	return []sessionstore.Bucket{{Name: "shop"}, {Name: "bank"}}, nil
}

func (b *broken) Hosts(context.Context) ([]sessionstore.Host, error) { return b.hosts, nil }
func (b *broken) Size() int64                                        { return 4096 }

func newServer(t testing.TB, store Store, limits Limits) (*Server, *prometheus.Registry) {
	t.Helper()
	registry := prometheus.NewRegistry()
	s, err := New(Options{
		Store: store, Changing: func(h http.Handler) http.Handler { return h }, Who: func(context.Context) (string, bool) { return "ops", true },
		Limits: limits, Registry: registry, Logger: slog.New(slog.DiscardHandler), Now: moment,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, registry
}

func event(name string) *record.Record {
	return &record.Record{
		V: record.Version, ID: record.NewID(moment()), At: moment().UnixNano(), Kind: record.Event, Host: "web-1", Daemon: "shop",
		Namespace: "default", App: "api", PMID: 0, Level: record.LevelInfo, Source: record.FromExt, Event: &record.EventInfo{Name: name},
	}
}

func batchOf(t testing.TB, records ...*record.Record) []byte {
	t.Helper()
	body, err := json.Marshal(record.Batch{V: record.Version, Agent: record.Agent{Host: "web-1", Version: "1.0.0"}, Records: records})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func zipped(t testing.TB, body io.Reader) []byte {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := io.Copy(z, body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// push sends a body with headers in pairs.
func push(s *Server, body io.Reader, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, pushPath, body)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+goodToken)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		}
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

func receiptOf(t testing.TB, w *httptest.ResponseRecorder) record.Receipt {
	t.Helper()
	var r record.Receipt
	if err := json.Unmarshal(w.Body.Bytes(), &r); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d: %s", w.Code, w.Body)
	}
	return r
}

func gathered(t testing.TB, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			var b strings.Builder
			b.WriteString(f.GetName())
			for _, l := range m.Label {
				b.WriteString(" " + l.GetName() + "=" + l.GetValue())
			}
			out[b.String()] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}
