package recorder

import (
	"slices"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/record"
)

func (w *world) end(reason exits.Reason, code int, retired bool) {
	e := exits.Exit{Name: "web", Reason: reason, Code: code, At: w.at, Retired: retired}
	w.take(&item{at: w.at, exit: &e, times: 1})
}

func (w *world) word(event string) {
	w.event(pm2.Event{Kind: pm2.EventLifecycle, Lifecycle: event})
}

func (w *world) lists(processes ...pm2.Process) {
	if processes == nil {
		processes = []pm2.Process{}
	}
	w.take(&item{at: w.at, list: processes})
}

func running(pmID int, started time.Time, version string) pm2.Process {
	return pm2.Process{Name: "web", Namespace: "default", PMID: pmID, PID: 100 + pmID, Status: pm2.StatusOnline, StartedAt: started, Version: version, MemoryBytes: 5 << 20}
}

func TestLifecycle(t *testing.T) {
	w := newWorld(t)
	first := w.at
	w.online(first, "1.0.0")
	w.lists(running(0, first, "1.0.0"))
	w.check("first seen", "start default/web:0 1.0.0")

	w.pass(10 * time.Second)
	w.end(exits.Crash, 1, false)
	exit := w.sink.records[0]
	if exit.PID != 100 || exit.Exit.Uptime != 10 || exit.Exit.Memory != 5<<20 || exit.Started != first.UnixMilli() || exit.Level != record.LevelError {
		t.Errorf("%+v %+v", exit, exit.Exit)
	}
	second := w.at.Add(100 * time.Millisecond)
	w.pass(200 * time.Millisecond)
	w.online(second, "1.0.0")
	w.online(second, "1.0.0") // told twice
	w.lists(running(0, second, "1.0.0"))
	w.check("a crash", "exit default/web:0 1.0.0 crash 1\nrestart default/web:0 1.0.0")

	w.end(exits.Operator, 0, false)
	w.word("stop")
	w.word("stop")
	w.check("stopped", "exit default/web:0 1.0.0 operator 0\nstop default/web:-1 1.0.0")
	w.pass(time.Minute)
	w.online(w.at, "1.0.0") // PM2 6 has not looked yet
	w.lists(running(0, w.at, "1.1.0"))
	w.check("started with another version", "start default/web:0 1.1.0\ndeploy default/web:-1 1.1.0 from 1.0.0")

	w.pass(time.Minute)
	w.online(w.at, "1.1.0") // a reload: the old one still runs
	w.end(exits.Reload, 0, true)
	w.word("reload")
	w.pass(holdBirth)
	w.check("reloaded", "exit default/web:0 1.1.0 reload 0\nreload default/web:-1 1.1.0\nrestart default/web:0 1.1.0")

	w.lists()
	w.lists()
	w.check("deleted", "delete default/web:0 1.1.0")
	w.pass(2 * forgetProc)
	w.lists()
	if len(w.procs) > 0 {
		t.Errorf("%d processes are remembered", len(w.procs))
	}
}

// TestToldTwice: what the agent tells again after it was restarted has the same
// ids.
func TestToldTwice(t *testing.T) {
	var ids [2][]string
	for i := range ids {
		w := newWorld(t)
		w.at = w.at.Add(time.Duration(i) * time.Hour)
		w.take(&item{at: w.at, known: &Version{Namespace: "default", App: "web", Version: "0.9.0", At: begin.Add(-time.Hour)}})
		w.lists(running(0, begin, "1.0.0"))
		e := exits.Exit{Name: "web", Reason: exits.Crash, At: w.at, Logged: begin, Mark: [10]byte{1, 2, 3}}
		w.take(&item{at: w.at, exit: &e, times: 1})
		for _, r := range w.sink.records {
			ids[i] = append(ids[i], string(r.Kind)+" "+r.ID)
		}
	}
	if len(ids[0]) != 3 || len(ids[1]) != 3 || [3]string(ids[0]) != [3]string(ids[1]) {
		t.Errorf("%q\n%q", ids[0], ids[1])
	}
}

// TestOneDeployForAllWorkers: also where an old worker is listed after a new
// one.
func TestOneDeployForAllWorkers(t *testing.T) {
	w := newWorld(t)
	w.lists(running(0, begin, "1"), running(1, begin.Add(time.Second), "1"))
	w.told()
	w.pass(time.Minute)
	w.lists(running(0, w.at, "2"), running(1, begin.Add(time.Second), "1"))
	w.lists(running(0, w.at, "2"), running(1, w.at, "2"))
	w.check("a rolling deploy", "restart default/web:0 2\ndeploy default/web:-1 2 from 1\nrestart default/web:1 2")
}

// TestCrashExplainsTheThrow: what PM2 does not say.
func TestCrashExplainsTheThrow(t *testing.T) {
	w := newWorld(t)
	w.event(byFork("boom"))
	w.end(exits.Crash, 1, false)
	w.pass(5 * time.Second)
	w.check("a crash", "exit default/web:0 crash 1\nexception default/web:0 TypeError: boom ×1 pm2 uncaught")
	w.pass(time.Minute)
	w.logged("boom")
	w.end(exits.Crash, 1, false)
	w.pass(5 * time.Second)
	if e := w.sink.records[len(w.sink.records)-1].Exception; e == nil || e.Handled || e.Mechanism != record.Logged {
		t.Errorf("%+v", e)
	}
}

// TestEventsAreBounded: what a process sends over its allowance is counted.
func TestEventsAreBounded(t *testing.T) {
	w := newWorld(t)
	for range 100 {
		w.event(pm2.Event{Kind: pm2.EventCustom, Custom: &pm2.Custom{Name: "my:event", Data: []byte(`{"a":1}`)}})
	}
	if n := len(w.sink.records); n != maxEvents || w.dropped.events.Load() != 100-maxEvents {
		t.Errorf("%d records, %d are left out", n, w.dropped.events.Load())
	}
	w.pass(time.Minute)
	w.event(pm2.Event{Kind: pm2.EventExtEvent, Custom: &pm2.Custom{Name: "order.placed", ID: "01a214c1-21a8-755f-89c5-a3ba6fc3d0e5", PID: 7, Start: begin.UnixMilli()}})
	if r := w.sink.records[maxEvents]; r.Source != record.FromExt || r.ID != "01a214c1-21a8-755f-89c5-a3ba6fc3d0e5" || r.PID != 7 {
		t.Errorf("%+v", r)
	}
}

// TestSlowRequests: their ids are those of the exemplars.
func TestSlowRequests(t *testing.T) {
	w := newWorld(t)
	w.take(&item{at: w.at, event: pm2.Event{Kind: pm2.EventReport, Name: "web"}, from: lifeOf{7, begin.UnixMilli()}, slow: []pm2.SlowRequest{
		{ID: "0199b5a0-0000-7000-8000-000000000001", Method: "GET", Route: "/users/:id", Code: "2xx", Status: 200, Seconds: 1.5, At: begin.UnixMilli()},
		{ID: "0199b5a0-0000-7000-8000-000000000002", Method: "GET", Route: "/x", Code: "aborted", Seconds: 9, At: begin.UnixMilli(), Aborted: true},
	}})
	r := w.sink.records
	if len(r) != 2 || r[0].ID != "0199b5a0-0000-7000-8000-000000000001" || r[0].Request.Code != 200 || r[0].Level != record.LevelInfo || !r[1].Request.Aborted || r[1].Level != record.LevelWarn || r[0].PID != 7 {
		t.Errorf("%+v", r)
	}
}

// TestExceptionsOfALife: records stand for the throws of several lives; each end
// says how many were in it, whoever told of them.
func TestExceptionsOfALife(t *testing.T) {
	w := newWorld(t)
	var got []uint64
	for life := range 3 {
		w.online(w.at, "1.0.0")
		w.pass(10 * time.Second)
		for range life {
			w.event(byFork("boom"))
			w.event(byExtension("boom", 1))
			w.pass(time.Second)
		}
		w.end(exits.Crash, 1, false)
		w.pass(5 * time.Second)
	}
	for _, r := range w.sink.records {
		if r.Exit != nil {
			got = append(got, r.Exit.Exceptions)
		}
	}
	if !slices.Equal(got, []uint64{0, 1, 2}) {
		t.Errorf("the ends tell of %v exceptions, want 0, 1 and 2", got)
	}
}
