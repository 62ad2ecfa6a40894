package facts

import (
	"context"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/promql/parser"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// push stores records of api on web-1.
func push(t *testing.T, s *sqlite.Store, now time.Time, records ...*record.Record) {
	t.Helper()
	for _, r := range records {
		r.V, r.ID, r.Host, r.Daemon, r.Namespace, r.App, r.PMID = record.Version, record.NewID(r.Time()), "web-1", "deploy", "default", "api", 3
		if r.Level == "" {
			r.Level, r.Source = record.LevelError, record.FromPM2
		}
		if refusal := r.Check(now); refusal != nil {
			t.Fatalf("%s: %s", r.Kind, refusal.Error)
		}
	}
	if _, _, err := s.Push(t.Context(), "shop", record.Agent{Host: "web-1", Version: "1"}, records); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	now := time.Now().Truncate(time.Millisecond)
	clock := func() time.Time { return now }
	s, err := sqlite.Open(sqlite.Options{Path: filepath.Join(t.TempDir(), "r.db"), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ago := func(d time.Duration) int64 { return now.Add(-d).UnixNano() }
	logs := []record.LogLine{{Stream: "out", Text: "out"}, {Stream: "err", Text: "a"}, {Stream: "err", Text: "b"}, {Stream: "err", Text: " "}, {Stream: "err", Text: "    at f (a.js:1)"}, {Stream: "err", Text: "c"}, {Stream: "err", Text: strings.Repeat("告", 340)}}
	push(t, s, now,
		&record.Record{Kind: record.Deploy, At: ago(6 * time.Minute), Version: "1.4.3", Deploy: &record.DeployInfo{FromVersion: "1.4.2"}, Level: record.LevelInfo, Source: record.FromPM2},
		&record.Record{Kind: record.Exception, At: ago(20 * time.Second), Version: "1.4.3", Exception: &record.ExceptionInfo{
			Fingerprint: strings.Repeat("ab", 32), Algo: 1, Title: "TypeError: x", Culprit: "pay (routes/pay.js)", Name: "TypeError", Message: "x", Mechanism: record.Uncaught,
			Frames: []record.Frame{{Function: "emit", File: "node:events", Line: 1}, {Function: "pay", File: "routes/pay.js", Line: 12, InApp: true}},
		}},
		&record.Record{Kind: record.Exit, At: ago(30 * time.Second), Exit: &record.ExitInfo{Reason: "crash", Code: 2}},
		&record.Record{Kind: record.Exit, At: ago(10 * time.Second), Exit: &record.ExitInfo{Reason: "oom_kill", Code: -1, Signal: "SIGKILL", Uptime: 12, Memory: 5 << 20}, Logs: logs},
	)
	of := Subject{Alert: "PM2CrashLoop", Bucket: "shop", Host: "web-1", Namespace: "default", App: "api", At: now.Add(-time.Minute)}
	k, err := NewStore(s, clock).About(t.Context(), of)
	if err != nil {
		t.Fatal(err)
	}
	if want := (End{At: now.Add(-10 * time.Second), Reason: "oom_kill", Code: -1, Signal: "SIGKILL", Lived: 12 * time.Second, Peak: 5 << 20}); k.End == nil || !k.End.At.Equal(want.At) || k.End.Reason != want.Reason || k.End.Code != want.Code || k.End.Signal != want.Signal || k.End.Lived != want.Lived || k.End.Peak != want.Peak {
		t.Errorf("end %+v", k.End)
	}
	if k.Exception == nil || k.Exception.Title != "TypeError: x" || k.Exception.Frame != "pay (routes/pay.js:12)" || len(k.Exception.Group) != 16 {
		t.Errorf("exception %+v", k.Exception)
	}
	if k.Deploy == nil || k.Deploy.From != "1.4.2" || k.Deploy.To != "1.4.3" || now.Sub(k.Deploy.At) != 6*time.Minute {
		t.Errorf("deploy %+v", k.Deploy)
	}
	if want := []string{"b", "c", strings.Repeat("告", maxLine) + "…"}; !reflect.DeepEqual(k.Logs, want) {
		t.Errorf("logs %q", k.Logs)
	}
	for name, other := range map[string]func(*Subject){
		"app": func(o *Subject) { o.App = "web" }, "bucket": func(o *Subject) { o.Bucket = "x" }, "namespace": func(o *Subject) { o.Namespace = "x" }, "no app": func(o *Subject) { o.App = "" },
	} {
		changed := of
		other(&changed)
		if k, err := NewStore(s, clock).About(t.Context(), changed); err != nil || !k.IsZero() {
			t.Errorf("another %s: %+v, %v", name, k, err)
		}
	}
	elsewhere := of
	elsewhere.Host = "web-2"
	if k, err := NewStore(s, clock).About(t.Context(), elsewhere); err != nil || k.End != nil || k.Exception == nil {
		t.Errorf("on another host: %+v, %v", k, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := NewStore(s, clock).About(ctx, of); err == nil {
		t.Error("no error of a context that is over")
	}
}

// vector answers with what it is given.
type vector struct {
	expr    string
	samples []Sample
}

func (v *vector) Vector(_ context.Context, expr string, _ time.Time) ([]Sample, error) {
	v.expr = expr
	return v.samples, nil
}

func TestMetrics(t *testing.T) {
	v := &vector{}
	for what, n := range map[string]float64{"online": 3, "workers": 4, "hosts": 5, "hosts_alerting": 2, "processes": 20, "alerting": 7} {
		v.samples = append(v.samples, Sample{Labels: map[string]string{"what": what}, Value: n})
	}
	of := Subject{Alert: "NodeProcessHung", Host: "web-1", Namespace: "default", App: `a"pi\`, PMID: "3"}
	k, err := NewMetrics(v, time.Now).About(t.Context(), of)
	if err != nil || *k.Workers != (Share{3, 4}) || *k.Hosts != (Share{2, 5}) || *k.Affected != (Share{7, 20}) {
		t.Errorf("%+v %v", k, err)
	}
	if _, err := parser.NewParser(parser.Options{}).ParseExpr(v.expr); err != nil {
		t.Errorf("%v in %s", err, v.expr)
	}
	v.samples = nil
	if k, err := NewMetrics(v, time.Now).About(t.Context(), of); err != nil || !k.IsZero() {
		t.Errorf("%+v %v", k, err)
	}
}
