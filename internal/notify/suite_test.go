package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/rules/routing"
)

// secret signs the messages of the robots that know signatures.
const secret = "SEC-secret-of-the-robot"

// rig is a bridge with a robot of each kind, named after it. They speak over
// pipes, so that time may be a test's own.
type rig struct {
	bridge    *Bridge
	robots    map[robot.Kind]*robottest.Robot
	receivers routing.Receivers
	registry  *prometheus.Registry
	logs      *safeBuffer
}

type safeBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

func newRig(t *testing.T, change ...func(*Options)) *rig {
	t.Helper()
	dir := t.TempDir()
	g := &rig{robots: map[robot.Kind]*robottest.Robot{}, registry: prometheus.NewRegistry(), logs: &safeBuffer{}}
	g.receivers = routing.Receivers{Timezone: "Asia/Shanghai", Receivers: map[string]routing.Receiver{}}
	for _, kind := range robot.Kinds() {
		signed := secret
		if kind == robot.WeCom {
			signed = ""
		}
		r := robottest.New(kind, signed, time.Now)
		g.robots[kind] = r
		conf := &routing.Robot{URLFile: write(t, dir, string(kind)+".url", r.URL("http://"+string(kind)+".in-process"))}
		if signed != "" {
			conf.SecretFile = write(t, dir, string(kind)+".secret", signed)
		}
		g.receivers.Receivers[string(kind)] = map[robot.Kind]routing.Receiver{
			robot.DingTalk: {DingTalk: conf}, robot.Feishu: {Feishu: conf}, robot.WeCom: {WeCom: conf},
		}[kind]
	}
	o := Options{
		Receivers: g.receivers, Registry: g.registry, Now: time.Now, Logger: slog.New(slog.NewTextHandler(g.logs, nil)),
		Transport: &http.Transport{DialContext: g.dial, DisableKeepAlives: true},
	}
	for _, c := range change {
		c(&o)
	}
	bridge, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	g.bridge = bridge
	t.Cleanup(func() {
		if err := bridge.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return g
}

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// dial connects to the robot that is named by the host.
func (g *rig) dial(_ context.Context, _, address string) (net.Conn, error) {
	host, _, _ := strings.Cut(address, ".")
	r := g.robots[robot.Kind(host)]
	if r == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: fmt.Errorf("connection refused")}
	}
	ours, theirs := net.Pipe()
	server := &http.Server{Handler: r, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
	go func() { _ = server.Serve(&oneConn{conn: theirs}) }()
	return ours, nil
}

// oneConn is a listener with one connection.
type oneConn struct {
	conn net.Conn
	once sync.Once
}

func (l *oneConn) Accept() (conn net.Conn, err error) {
	err = net.ErrClosed
	l.once.Do(func() { conn, err = l.conn, nil })
	return conn, err
}
func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return l.conn.LocalAddr() }

type alert struct {
	Status           string
	Labels           map[string]string
	Annotations      map[string]string
	StartsAt, EndsAt time.Time
	GeneratorURL     string
	Fingerprint      string
}

// of is an alert about an app on a host.
func of(name, severity, app, host string) alert {
	return alert{
		Status: "firing", StartsAt: time.Now().Add(-time.Minute),
		Labels: map[string]string{"alertname": name, "severity": severity, "scope": "app", "app": app, "pm2_namespace": "default", "daemon": "deploy", "host": host},
		Annotations: map[string]string{
			"summary": app + " on " + host + " is in trouble", "description": "What " + name + " means.",
			"dashboard_url": "http://pm25.example/?q=" + app, "runbook_url": "http://pm25.example/runbooks/" + name,
			"silence_url": "http://pm25.example/silence?matcher=app", "exceptions_url": "http://pm25.example/exceptions?app=" + app,
		},
	}
}

func notification(alerts ...alert) string {
	m := map[string]any{
		"version": "4", "groupKey": "{}", "status": "firing", "receiver": "r", "externalURL": "http://pm25.example/alertmanager",
		"groupLabels": map[string]string{}, "commonLabels": map[string]string{}, "commonAnnotations": map[string]string{},
	}
	list := []map[string]any{}
	for _, a := range alerts {
		list = append(list, map[string]any{"status": a.Status, "labels": a.Labels, "annotations": a.Annotations, "startsAt": a.StartsAt, "endsAt": a.EndsAt, "generatorURL": "http://pm25.example/graph", "fingerprint": "f"})
	}
	m["alerts"] = list
	data, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// post asks the bridge as Alertmanager does.
func (g *rig) post(ctx context.Context, path, body string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body))
	w := httptest.NewRecorder()
	g.bridge.Handler().ServeHTTP(w, r)
	return w
}

func (g *rig) tell(t *testing.T, kind robot.Kind, alerts ...alert) *httptest.ResponseRecorder {
	t.Helper()
	return g.post(t.Context(), Path+string(kind)+"/"+string(kind), notification(alerts...))
}

func (g *rig) result(kind robot.Kind, result string) float64 {
	return testutil.ToFloat64(g.bridge.metrics.messages.WithLabelValues(string(kind), string(kind), result))
}

func (g *rig) failures(kind robot.Kind, reason string) float64 {
	return testutil.ToFloat64(g.bridge.metrics.failures.WithLabelValues(string(kind), string(kind), reason))
}

// told is all that anybody may read: logs, metrics and answers.
func (g *rig) told(t *testing.T) string {
	t.Helper()
	families, err := g.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String() + g.logs.String()
}

// taken waits until the robot took so many messages.
func taken(t *testing.T, r *robottest.Robot, n int) []robottest.Taken {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for {
		if all := r.Taken(); len(all) >= n {
			return all
		}
		select {
		case <-r.Changed():
		case <-deadline:
			t.Fatalf("%d messages, want %d", len(r.Taken()), n)
		}
	}
}
