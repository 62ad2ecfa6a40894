package watch

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// told is a Recorder that keeps what it is told.
type told struct {
	mu     sync.Mutex
	events []pm2.EventKind
	text   []byte
	ends   []exits.Exit
	lists  int
}

func (r *told) Event(ev *pm2.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, ev.Kind)
	r.text = append(r.text, ev.Chunk...)
	if ev.Thrown != nil {
		r.text = append(r.text, ev.Thrown.Message...)
	}
}

func (r *told) Names([]pm2.Process) {}

func (r *told) List([]pm2.Process) { r.mu.Lock(); defer r.mu.Unlock(); r.lists++ }

func (r *told) Exit(e exits.Exit, _ uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ends = append(r.ends, e)
}

func (r *told) Dropped() [4]uint64 { return [4]uint64{1, 2, 3, 4} }

// TestRecorderIsTold: what messages say, ends with a mark that is the same when
// they are read again, and lists.
func TestRecorderIsTold(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		d.SetList(apps(1))
		rec := &told{}
		w := follow(t, d, func(o *Options) { o.Recorder = rec })
		pass(time.Second)
		d.PublishRaw(pm2fake.Frame(pm2fake.Text("process:exception"), pm2fake.Encode(map[string]any{"process": pm2fake.Process("app0", 0), "data": map[string]any{"message": "boom"}})))
		d.PublishRaw(pm2fake.Frame(pm2fake.Text("log:err"), pm2fake.Encode(map[string]any{"process": pm2fake.Process("app0", 0), "data": " a line"})))
		d.WriteLog("App [app0:0] exited with code [1] via signal [SIGINT]")
		pass(10 * time.Second)
		w.end()
		d.WriteLog("App [app0:0] exited with code [2] via signal [SIGINT]")
		state := w.Save() // tells of what came last
		rec.mu.Lock()
		defer rec.mu.Unlock()
		if diff := cmp.Diff([]pm2.EventKind{pm2.EventException, pm2.EventErr}, rec.events); diff != "" || string(rec.text) != "boom a line" || rec.lists == 0 {
			t.Errorf("%q, %d lists\n%s", rec.text, rec.lists, diff)
		}
		if len(rec.ends) != 2 || rec.ends[0].Code != 1 || rec.ends[1].Code != 2 || rec.ends[0].Mark == rec.ends[1].Mark {
			t.Fatalf("%+v", rec.ends)
		}

		// The second one is read again where the first agent's place is known.
		log, err := os.ReadFile(filepath.Join(d.Home(), "pm2.log"))
		if err != nil || state.Log == nil || state.Log.Offset != int64(len(log)) {
			t.Fatal(err, state.Log)
		}
		before := int64(bytes.LastIndexByte(log[:len(log)-1], '\n') + 1)
		state.Log.Offset, state.Log.CheckLen = before, 0
		again := &told{}
		w2 := follow(t, d, func(o *Options) { o.Recorder, o.State = again, &state })
		pass(5 * time.Second)
		w2.end()
		again.mu.Lock()
		defer again.mu.Unlock()
		if len(again.ends) != 1 || again.ends[0].Mark != rec.ends[1].Mark || !again.ends[0].Logged.Equal(rec.ends[1].Logged) {
			t.Errorf("%+v, was %+v", again.ends, rec.ends[1])
		}
		if w2.view(time.Second); again.lists == 0 {
			t.Error("no list")
		}

		// Where there is no state it is recorded all the same, and not counted.
		killed := &told{}
		w3 := follow(t, d, func(o *Options) { o.Recorder, o.Place = killed, state.Log })
		pass(5 * time.Second)
		d.WriteLog("App [app0:0] exited with code [3] via signal [SIGINT]")
		pass(5 * time.Second)
		w3.end()
		killed.mu.Lock()
		defer killed.mu.Unlock()
		if len(killed.ends) != 2 || killed.ends[0].Mark != rec.ends[1].Mark || killed.ends[1].Code != 3 {
			t.Errorf("%+v", killed.ends)
		}
		w3.Ledger(func(l *ledger.Ledger) {
			n := uint64(0)
			for _, of := range l.App(ledger.AppKey{Namespace: "default", App: "app0"}).Exits {
				n += of
			}
			if n != 1 {
				t.Errorf("%d ends are counted", n)
			}
		})
	})
}

// ordered is a Recorder that keeps the order in which it is told.
type ordered struct {
	told
	order []string
}

func (r *ordered) Event(ev *pm2.Event) {
	switch {
	case ev.Kind == pm2.EventException:
		r.order = append(r.order, "exception")
	case ev.Lifecycle == "online":
		r.order = append(r.order, "online "+ev.Name)
	}
}

func (r *ordered) Exit(e exits.Exit, _ uint64) {
	r.order = append(r.order, string(e.Reason)+" "+e.Name)
}

// TestThrowToldLate: what a worker in cluster mode threw is told after its end,
// as PM2 does on a busy machine.
func TestThrowToldLate(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		d.SetList(strings.ReplaceAll(apps(1), "fork_mode", "cluster_mode"))
		rec := &ordered{}
		w := follow(t, d, func(o *Options) { o.Recorder = rec })
		pass(time.Second)
		d.Log(pm2fake.Exited("app0", 0, 0, "SIGINT"))
		d.Log("App [app0:0] starting in -cluster mode-")
		d.Publish("process:exception", map[string]any{"process": pm2fake.Process("app0", 0), "data": map[string]any{"message": "boom"}})
		pass(5 * time.Second)
		w.end()
		if diff := cmp.Diff([]string{"exception", "crash app0"}, rec.order); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}

// TestEndsBeforeStarts: the end of a process is told before it runs again, and no
// other waits for it.
func TestEndsBeforeStarts(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		d.SetList(strings.Replace(apps(2), "fork_mode", "cluster_mode", 1))
		rec := &ordered{}
		w := follow(t, d, func(o *Options) { o.Recorder = rec })
		pass(time.Second)
		event := func(what, app string, id int) {
			d.Publish("process:event", map[string]any{"event": what, "process": pm2fake.Process(app, id)})
		}
		d.Log(pm2fake.Exited("app0", 0, 0, "SIGINT"))
		event("exit", "app0", 0)
		d.Log(pm2fake.Exited("app1", 1, 1, "SIGINT"))
		event("exit", "app1", 1)
		d.Log("App [app1:1] starting in -fork mode-")
		event("online", "app1", 1)
		d.Log("App [app0:0] starting in -cluster mode-")
		event("online", "app0", 0)
		pass(5 * time.Second)
		w.end()
		if diff := cmp.Diff([]string{"crash app1", "online app1", "clean app0", "online app0"}, rec.order); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	})
}
