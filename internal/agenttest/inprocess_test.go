package agenttest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/exporter"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/watch"
)

// clock is a clock that a test can set forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

type noInfo struct{}

func (noInfo) RejectedSockets() map[string]uint64 { return nil }
func (noInfo) StateErrors() uint64                { return 0 }
func (noInfo) StateRestored() bool                { return false }

type noOOM struct{}

func (noOOM) Read() (uint64, string, error) { return 0, "", errors.New("no counter here") }

// inside is the agent's inside over fake daemons: everything but discovery.
type inside struct {
	t *testing.T
	clock
	handler http.Handler
}

func newInside(t *testing.T, perProcess int, daemons ...*pm2fake.Daemon) *inside {
	t.Helper()
	in := &inside{t: t}
	source, err := procfs.New(procfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	var all []exporter.Daemon
	for i, d := range daemons {
		w := watch.New(watch.Options{
			Candidate: discovery.Candidate{Label: fmt.Sprint("d", i), Home: d.Home(), OwnerUID: os.Geteuid()},
			Dial: func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error) {
				rpc, pub, err = d.Dial(ctx)
				return rpc, pub, discovery.Peer{PID: os.Getpid(), UID: os.Geteuid(), StartTicks: 1}, err
			},
			OOM: func(discovery.Peer) watch.OOMCounter { return noOOM{} }, Proc: source, ProcRoot: "/proc", BootID: "boot",
			Logger: log.NewNopLogger(), Now: in.now,
		})
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); w.Run(ctx) }()
		t.Cleanup(func() { cancel(); <-done })
		<-w.Tried()
		all = append(all, w)
	}
	processes, err := procfs.New(procfs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(processes.Close)
	e, err := exporter.New(exporter.Options{
		Collectors: []exporter.Collector{exporter.NewDaemonCollector(source), exporter.NewProcessCollector(processes), exporter.NewAppCollector(), exporter.NewCustomCollector(perProcess)},
		Daemons:    func() []exporter.Daemon { return all }, Agent: noInfo{}, Logger: log.NewNopLogger(), Now: in.now,
	})
	if err != nil {
		t.Fatal(err)
	}
	in.handler = e.Handler(exporter.HandlerOptions{})
	return in
}

func (in *inside) scrapeWithin(seconds string) (metrics, time.Duration) {
	in.t.Helper()
	req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", seconds)
	rec := httptest.NewRecorder()
	began := time.Now()
	in.handler.ServeHTTP(rec, req)
	if rec.Code != http.StatusOK {
		in.t.Fatalf("status %d: %s", rec.Code, rec.Body)
	}
	return parse(in.t, rec.Body.String()), time.Since(began)
}

func (in *inside) scrape() metrics {
	in.t.Helper()
	m, _ := in.scrapeWithin("10")
	return m
}

// entry is one process of a list.
func entry(id, pid int, name, env string) string {
	return fmt.Sprintf(`{"pm_id":%d,"pid":%d,"name":%q,"pm2_env":{"status":"online","unique_id":"u%d",%s"exec_mode":"fork_mode"}}`, id, pid, name, id, env)
}

func list(entries []string) string { return "[" + strings.Join(entries, ",") + "]" }

// TestStalledDaemonCostsItsOwnSamples: a daemon that does not answer is down,
// within the scrape's time, and the others' samples are there.
func TestStalledDaemonCostsItsOwnSamples(t *testing.T) {
	good, stalled := pm2fake.New(t), pm2fake.New(t)
	good.SetList(list([]string{entry(0, 0, "web", "")}))
	stalled.SetList(list([]string{entry(0, 0, "web", "")}))
	in := newInside(t, 100, good, stalled)
	if m := in.scrape(); len(m.find("pm2_up")) != 2 || len(m.find("pm2_process_info")) != 2 {
		t.Fatalf("%v", m)
	}
	stalled.Fail(pm2fake.Fault{Silent: true, Times: -1})
	in.pass(time.Minute)
	m, took := in.scrapeWithin("2")
	if took > 2*time.Second {
		t.Errorf("took %s of 2 s", took)
	}
	for daemon, want := range map[string]float64{"d0": 1, "d1": 0} {
		if up, ok := m.value("pm2_up", "daemon", daemon); !ok || up != want {
			t.Errorf("%s: pm2_up %v (%v), want %v", daemon, up, ok, want)
		}
		if n := len(m.find("pm2_process_info", "daemon", daemon)); n != int(want) {
			t.Errorf("%s: %d processes, want %v", daemon, n, want)
		}
	}
	for _, s := range m.find("pm25_agent_collector_success") {
		if s.GetGauge().GetValue() != 1 {
			t.Errorf("collector %s failed", label(s, "collector"))
		}
	}
}

// TestManyApps: apps over the bound are counted together.
func TestManyApps(t *testing.T) {
	d := pm2fake.New(t)
	var entries []string
	for i := range 1100 {
		entries = append(entries, entry(i, 0, fmt.Sprint("app", i), ""))
	}
	d.SetList(list(entries))
	in := newInside(t, 100, d)
	m := in.scrape()
	apps := m.find("pm2_app_exits_total", "reason", "crash")
	if n := len(apps); n != 1001 {
		t.Errorf("%d apps, want 1000 and (other)", n)
	}
	if n := len(m.find("pm2_app_exits_total", "reason", "crash", "app", "(other)")); n != 1 {
		t.Errorf("%d series of (other)", n)
	}
	if n := len(m.find("pm2_process_info")); n != 1100 {
		t.Errorf("%d processes", n)
	}
	if v, _ := m.value("pm25_agent_dropped_total", "daemon", "d0", "what", "app"); v == 0 {
		t.Error("what is left out is not counted")
	}
}

// TestAppsThatComeAndGo: names made up anew each second for hours leave
// neither series nor memory behind.
func TestAppsThatComeAndGo(t *testing.T) {
	d := pm2fake.New(t)
	id := 0
	d.SetListFunc(func() string {
		var entries []string
		for range 50 {
			id++
			entries = append(entries, entry(id, 0, fmt.Sprintf("app-%d-%s", id, strings.Repeat("x", 100)), `"axm_monitor":{"m`+fmt.Sprint(id)+`":{"value":1,"unit":"`+fmt.Sprint(id)+`"}},`))
		}
		return list(entries)
	})
	in := newInside(t, 100, d)
	var first, n int
	var before uint64
	rounds := 240
	if testing.Short() {
		rounds = 120
	}
	for i := range rounds {
		in.pass(15 * time.Second) // older than a list with values of @pm2/io may be
		m := in.scrape()
		n = 0
		for _, f := range m {
			n += len(f.GetMetric())
		}
		if len(m.find("pm2_app_exits_total", "reason", "crash")) > 50 {
			t.Fatalf("round %d: series of apps that are gone", i)
		}
		if i == rounds/3 {
			first, before = n, heap()
		}
	}
	if n > first+10 {
		t.Errorf("%d series, %d before", n, first)
	}
	if after := heap(); after > before+before/2+4<<20 {
		t.Errorf("%d KiB are held, %d before", after>>10, before>>10)
	}
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestCustomMetrics: a bound for each process, a count of what is over it, and
// names that stay apart.
func TestCustomMetrics(t *testing.T) {
	d := pm2fake.New(t)
	var values []string
	for i := range 30 {
		values = append(values, fmt.Sprintf(`"m %d":{"value":"%d","unit":"u"}`, i, i))
	}
	odd := `"axm_monitor":{"a b":{"value":1},"a_b":{"value":2},"a\nb":{"value":3},"\ud800":{"value":4},"\ud801":{"value":5},"text":{"value":"x"},"Heap":{"value":1,"type":"internal/v8/heap"}},`
	d.SetList(list([]string{entry(0, 0, "many", `"axm_monitor":{`+strings.Join(values, ",")+`},`), entry(1, 0, "odd", odd)}))
	in := newInside(t, 10, d)
	m := in.scrape()
	if n := len(m.find("pm2_custom_metric", "app", "many")); n != 10 {
		t.Errorf("%d values, want 10", n)
	}
	names := map[string]bool{}
	for _, s := range m.find("pm2_custom_metric", "app", "odd") {
		names[label(s, "name")] = true
	}
	if len(names) != 4 || len(m.find("pm2_custom_metric", "app", "odd")) != 4 {
		t.Errorf("names %v", names)
	}
	in.scrape()
	if v, _ := in.scrape().value("pm25_agent_dropped_total", "what", "custom_metric"); v != 21 {
		t.Errorf("%v dropped, want 21", v)
	}
}

// TestPIDOfAnother: a process id that another program has by now says nothing
// about the app.
func TestPIDOfAnother(t *testing.T) {
	d := pm2fake.New(t)
	self := os.Getpid()
	long := time.Now().Add(-24 * time.Hour).UnixMilli()
	d.SetList(list([]string{
		entry(0, self, "gone", fmt.Sprintf(`"pm_uptime":%d,`, long)),
		entry(1, self, "here", ""),
		entry(2, 1<<22+5, "nobody", ""),
	}))
	in := newInside(t, 10, d)
	pm2test.Eventually(t, 5*time.Second, func() error {
		m := in.scrape()
		for app, want := range map[string]int{"gone": 0, "here": 1, "nobody": 0} {
			for _, name := range []string{"pm2_process_resident_memory_bytes", "pm2_process_threads", "pm2_process_children"} {
				if n := len(m.find(name, "app", app)); n != want {
					return fmt.Errorf("%s of %s: %d samples, want %d", name, app, n, want)
				}
			}
		}
		return nil
	})
}
