package dashboards

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/central"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// newCentral is a server with a bucket, and the secret of its token. It is started
// anew after the bucket was made, as servers mostly are: then all series of it are
// there from the start.
func newCentral(t testing.TB, clock func() time.Time) (c *central.Central, registry *prometheus.Registry, secret string) {
	t.Helper()
	dir := t.TempDir()
	store, err := sqlite.Open(sqlite.Options{Path: filepath.Join(dir, central.StoreFile), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	if _, secret, err = store.CreateBucket(context.Background(), "bucket-0"); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	operator, err := access.OpenOperator(filepath.Join(dir, access.OperatorFile))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.DiscardHandler)
	gate, err := access.New(access.Options{External: &url.URL{Host: "localhost"}, Operator: operator, OwnRule: central.OwnRule, Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	registry = prometheus.NewRegistry()
	c, err = central.Open(central.Options{DataDir: dir, Retention: 30 * 24 * time.Hour, Gate: gate, Registry: registry, Logger: logger, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, registry, secret
}

// teller is an agent that pushes records of each kind.
type teller struct {
	handler http.Handler
	secret  string
}

// push sends what happened in the last three minutes, each three minutes.
func (p *teller) push(t testing.TB, now time.Time, w *world) {
	t.Helper()
	step := int(now.Sub(w.start) / (3 * time.Minute))
	if now.Sub(w.start)%(3*time.Minute) != 0 {
		return
	}
	var all []*record.Record
	add := func(kind record.Kind, level record.Level, more func(*record.Record)) {
		r := &record.Record{
			V: record.Version, ID: record.NewID(now), At: now.Add(-time.Second * time.Duration(len(all)+1)).UnixNano(), Kind: kind, Host: fmt.Sprintf("web-%02d", step%2+1), Daemon: "deploy",
			Namespace: "default", App: "payments", PMID: 3, Version: "1.4." + fmt.Sprint(step/10), Level: level, Source: record.FromPM2,
		}
		more(r)
		all = append(all, r)
	}
	for bug := range 3 {
		add(record.Exception, record.LevelError, func(r *record.Record) {
			title := fmt.Sprintf("TypeError: user %d has no cart of kind %c", step, 'a'+bug)
			r.Occurrences = uint64(10 * (bug + 1))
			r.Exception = &record.ExceptionInfo{
				Fingerprint: fmt.Sprintf("%064x", bug+1), Algo: 1, Title: title, Culprit: "pay (pay.js)", Name: "TypeError",
				Message: title[len("TypeError: "):], Stack: title + "\n    at pay (/srv/pay.js:12:7)", Mechanism: record.Uncaught,
			}
		})
	}
	add(record.Exit, record.LevelError, func(r *record.Record) { r.Exit = &record.ExitInfo{Reason: "crash", Code: 1, Uptime: 3} })
	add(record.Restart, record.LevelInfo, func(*record.Record) {})
	add(record.Deploy, record.LevelInfo, func(r *record.Record) { r.Deploy, r.PMID = &record.DeployInfo{FromVersion: "1.3.9"}, -1 })
	add(record.SlowRequest, record.LevelWarn, func(r *record.Record) {
		r.Request = &record.RequestInfo{Method: "POST", Route: "/orders", Code: 200, Seconds: 1.8}
	})
	add(record.Event, record.LevelInfo, func(r *record.Record) { r.Event = &record.EventInfo{Name: "order", Data: json.RawMessage(`{"id":1}`)} })
	body, err := json.Marshal(record.Batch{V: record.Version, Agent: record.Agent{Host: "web-01", Version: "1.0.0"}, Records: all})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v1/push", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.secret)
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	var receipt record.Receipt
	if err := json.Unmarshal(answer.Body.Bytes(), &receipt); err != nil || answer.Code != http.StatusOK || len(receipt.Refused) > 0 {
		t.Fatalf("push: %d %s", answer.Code, answer.Body)
	}
}

// refused is a push of somebody whom the server does not know.
func (p *teller) refused(t testing.TB) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/api/v1/push", bytes.NewReader([]byte("{}")))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+p.secret+"x")
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, r)
	if answer.Code == http.StatusOK {
		t.Fatal("a push with another token is taken")
	}
}
