package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

func TestRead(t *testing.T) {
	answers := map[string][]promtest.Series{
		`pm2_process_state{daemon="demo"} == 1`:            {{Labels: map[string]string{"app": "订单服务", "pm2_namespace": "华东", "pm_id": "8", "state": "online"}, Samples: []promtest.Sample{{Value: 1}}}},
		`pm2_process_restarts_total{daemon="demo"}`:        {{Labels: map[string]string{"pm_id": "8"}, Samples: []promtest.Sample{{Value: 3}}}},
		`pm2_process_resident_memory_bytes{daemon="demo"}`: {{Labels: map[string]string{"pm_id": "8"}, Samples: []promtest.Sample{{Value: 50 << 20}}}},
	}
	s, err := read(func(expr string) ([]promtest.Series, error) { return answers[expr], nil })
	if err != nil {
		t.Fatal(err)
	}
	p := s.procs[8]
	if len(s.procs) != 1 || p.app != "订单服务" || p.namespace != "华东" || p.state() != "online" || p.restarts != 3 || p.memory != 50<<20 {
		t.Errorf("%+v %+v", s, p)
	}
	if _, err := read(func(string) ([]promtest.Series, error) { return nil, errors.New("no") }); err == nil {
		t.Error("a failure was taken for an answer")
	}
}

func TestTextOfAnAlert(t *testing.T) {
	a := told{
		Status: "firing", Labels: map[string]string{"alertname": "PM2CrashLoop"}, GeneratorURL: "http://h/graph",
		Annotations: map[string]string{"summary": "api is in a crash loop", "dashboard_url": "http://h/?q=api", "silence_url": "http://h/silence"},
	}
	for _, want := range []string{"FIRING", "PM2CrashLoop", "api is in a crash loop", "http://h/?q=api", "http://h/graph", "http://h/silence"} {
		if !strings.Contains(a.text(), want) {
			t.Errorf("no %q in\n%s", want, a.text())
		}
	}
}

// good is what both sides say when all is as it should be.
func good() ([]pm2test.Proc, samples) {
	var procs []pm2test.Proc
	s := samples{procs: map[int]*sample{}}
	for _, e := range expected {
		for range e.processes {
			p := pm2test.Proc{Name: e.app, Namespace: e.namespace, PMID: len(procs), Status: e.states[0], Restarts: e.restarts}
			if p.Namespace == "" {
				p.Namespace = "default"
			}
			procs = append(procs, p)
			s.procs[p.PMID] = &sample{app: p.Name, namespace: p.Namespace, states: []string{p.Status}, restarts: float64(p.Restarts), memory: 1 << 20}
		}
	}
	return procs, s
}

func TestCheck(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*[]pm2test.Proc, samples)
		want  string // in the error; empty: none
	}{
		{"good", func(*[]pm2test.Proc, samples) {}, ""},
		{"down", func(p *[]pm2test.Proc, s samples) {
			(*p)[0].Status = "errored"
			s.procs[0].states = []string{"errored"}
		}, "shop-web (0): PM2 says errored"},
		{"disagree", func(p *[]pm2test.Proc, s samples) { s.procs[1].states = []string{"stopped"} }, "shop-api (1): PM2 says online, the metrics say stopped"},
		{"two states", func(p *[]pm2test.Proc, s samples) { s.procs[1].states = []string{"online", "stopped"} }, "online+stopped"},
		{"not in metrics", func(p *[]pm2test.Proc, s samples) { delete(s.procs, 3) }, "mailer (3): PM2 says online, the metrics say absent"},
		{"only in metrics", func(p *[]pm2test.Proc, s samples) { *p = (*p)[1:] }, "shop-web has 1 processes"},
		{"never crashed", func(p *[]pm2test.Proc, s samples) { (*p)[4].Restarts = 0 }, "payments (4): restarted 0 times"},
		{"crash not seen", func(p *[]pm2test.Proc, s samples) { s.procs[4].restarts = 0 }, "payments (4): PM2 counts 1 restarts, the metrics 0"},
		{"name garbled", func(p *[]pm2test.Proc, s samples) { s.procs[8].app = "????" }, "订单服务 (8): the metrics have another name"},
		{"no memory", func(p *[]pm2test.Proc, s samples) { s.procs[0].memory = -1 }, "shop-web (0): no memory"},
		{"stranger", func(p *[]pm2test.Proc, s samples) { (*p)[0].Name = "x" }, "nobody started this app"},
	} {
		procs, s := good()
		c.spoil(&procs, s)
		err := check(compare(procs, s))
		if c.name == "only in metrics" {
			if err == nil || !strings.Contains(err.Error(), "PM2 says absent") {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		if got := fmt.Sprint(err); (c.want == "") != (err == nil) || !strings.Contains(got, c.want) && c.want != "" {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestTable(t *testing.T) {
	procs, s := good()
	out := table(compare(procs, s))
	lines := strings.Split(strings.TrimRight(out, "\n"), "\n")
	if len(lines) != 2+9 || !strings.Contains(lines[2], "shop-web") || !strings.Contains(lines[10], "订单服务 (华东)") {
		t.Fatalf("\n%s", out)
	}
	// All lines end in the same column, whatever script they are written in.
	for _, l := range lines[1:] {
		if columns(l) != columns(lines[1]) {
			t.Errorf("%d columns, want %d: %s", columns(l), columns(lines[1]), l)
		}
	}
}

// TestHints: what the demo says to type is right where it was started, and for
// the port that it found free.
func TestHints(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	program, data := fromHere(filepath.Join(here, "bin", "pm25")), fromHere(filepath.Join(here, ".cache", "demo", "data"))
	out := hints("http://127.0.0.1:9725", 4300, program, data)
	for _, want := range []string{"http://127.0.0.1:9725/exceptions ", "  bin/pm25 exceptions list\n", "resolve --data.dir=.cache/demo/data ID", ".cache/demo/data/operator.token"} {
		if !strings.Contains(out, want) {
			t.Errorf("the hints do not hold %q:\n%s", want, out)
		}
	}
	if out := hints("http://127.0.0.1:9726", 4300, program, data); strings.Count(out, " --server.url=http://127.0.0.1:9726") != 3 {
		t.Errorf("on another port:\n%s", out)
	}
	if far := fromHere("/opt/pm25"); far != "/opt/pm25" {
		t.Errorf("a path elsewhere became %s", far)
	}
}

func TestStateLabel(t *testing.T) {
	for status, want := range map[string]string{"online": "online", "waiting restart": "waiting_restart", "one-launch-status": "one_launch", "": "other", "new": "other"} {
		if got := stateLabel(status); got != want {
			t.Errorf("%q: %q, want %q", status, got, want)
		}
	}
}

func TestPickStaysOnLoopback(t *testing.T) {
	ports := map[string]bool{}
	for dice := range 100 {
		_, url := pick(4300, dice, 7)
		rest, ok := strings.CutPrefix(url, "http://127.0.0.1:")
		if !ok {
			t.Fatal(url)
		}
		ports[rest[:4]] = true
	}
	if len(ports) != 3 {
		t.Errorf("goes to %v only", ports)
	}
}

func TestFreePorts(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	got, err := freePorts(taken, 2)
	if err != nil || got == taken || got == taken-1 {
		t.Errorf("%d %v, %d is taken", got, err, taken)
	}
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	f, err := takeLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := takeLock(dir); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("pid %d)", os.Getpid())) {
		t.Errorf("a second demo was let in, or not told who is there: %v", err)
	}
	f.Close()
	f, err = takeLock(dir)
	if err != nil {
		t.Fatalf("the lock survived its owner: %v", err)
	}
	f.Close()
}

func TestPrerequisites(t *testing.T) {
	t.Setenv("PATH", t.TempDir()) // neither node nor npm
	_, err := prerequisites(options{program: "/nowhere/pm25"})
	if err == nil {
		t.Fatal("nothing is missing?")
	}
	for _, want := range []string{"Node.js is missing: install", "run make build"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
}

// The expectations and the ecosystem file name the same apps.
func TestExpectedMatchesEcosystem(t *testing.T) {
	b, err := os.ReadFile("../ecosystem.config.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range expected {
		if !strings.Contains(string(b), "'"+e.app+"'") {
			t.Errorf("no app %s in the ecosystem file", e.app)
		}
	}
	if n := strings.Count(string(b), "    app('"); n != len(expected) || !slices.ContainsFunc(expected, func(e expectation) bool { return e.restarts > 0 }) {
		t.Errorf("%d apps in the ecosystem file, %d expected", n, len(expected))
	}
}
