package agenttest

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/record"
)

// records keeps what an agent recorded.
type records struct {
	mu  sync.Mutex
	all []*record.Record
}

func (r *records) Offer(rec *record.Record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, rec)
	return true
}

func (r *records) of(app string) (out []*record.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, rec := range r.all {
		if rec.App == app {
			out = append(out, rec)
		}
	}
	return out
}

// told is what is left of an app's records of some kinds, in order of time.
func (r *records) told(app string, kinds ...record.Kind) []string {
	var out []string
	of := r.of(app)
	slices.SortStableFunc(of, func(a, b *record.Record) int { return a.Time().Compare(b.Time()) })
	for _, rec := range of {
		if !slices.Contains(kinds, rec.Kind) {
			continue
		}
		line := string(rec.Kind)
		switch {
		case rec.Exception != nil:
			e := rec.Exception
			line = fmt.Sprintf("%s: %s ×%d %s %s", e.Name, firstLine(e.Message), rec.Count(), rec.Source, e.Mechanism)
		case rec.Exit != nil:
			line = fmt.Sprintf("exit %s %d %s", rec.Exit.Reason, rec.Exit.Code, rec.Exit.Signal)
		case rec.Deploy != nil:
			line = fmt.Sprintf("deploy %s → %s", rec.Deploy.FromVersion, rec.Version)
		case rec.Event != nil:
			line = fmt.Sprintf("event %s %s", rec.Event.Name, rec.Event.Data)
		}
		out = append(out, strings.TrimSpace(line))
	}
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// watching is an agent in this process that records.
type watching struct {
	t *testing.T
	*records
	agent *app.Agent
}

func watchAndRecord(t *testing.T, d *pm2test.Daemon, state string) *watching {
	t.Helper()
	w := &watching{t: t, records: &records{}}
	w.start(d, state)
	return w
}

func (w *watching) start(d *pm2test.Daemon, state string) {
	w.t.Helper()
	_, slogger := app.NewLoggers("error", "logfmt")
	on := map[string]bool{}
	for _, c := range catalog.Collectors() {
		on[c] = true
	}
	agent, err := app.NewAgent(app.Options{
		Homes: []string{"r=" + d.Home()}, ForgetAfter: time.Hour, StateDir: state, TelemetryPath: "/metrics", Collectors: on, CustomPerProcess: 100,
		Record: app.RecordOptions{Sink: w.records, LogLines: 20}, Ship: app.ShipOptions{Host: "h1"}, Logger: log.NewNopLogger(), Slog: slogger, Now: time.Now,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if err := agent.Start(context.Background()); err != nil {
		w.t.Fatal(err)
	}
	w.agent = agent
}

func (w *watching) stop() {
	w.t.Helper()
	if w.agent == nil {
		return
	}
	if err := w.agent.Stop(); err != nil {
		w.t.Error(err)
	}
	w.agent.Close()
	w.agent = nil
}

func (w *watching) scrape() metrics {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.agent.Metrics().ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return parse(w.t, rec.Body.String())
}

// want waits until an app's records of some kinds are these.
func (w *watching) want(app string, kinds []record.Kind, want ...string) {
	w.t.Helper()
	pm2test.Eventually(w.t, 15*time.Second, func() error {
		got := w.told(app, kinds...)
		sorted := slices.Clone(want)
		slices.Sort(got)
		slices.Sort(sorted)
		if !slices.Equal(got, sorted) {
			return fmt.Errorf("%s: %q, want %q", app, got, sorted)
		}
		return nil
	})
}
