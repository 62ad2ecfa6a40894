package recorder

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/logring"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/record"
)

// slowSink takes its time for each record.
type slowSink struct {
	mu   sync.Mutex
	took atomic.Int64
	all  []*record.Record
}

func (s *slowSink) Offer(r *record.Record) bool {
	time.Sleep(time.Duration(s.took.Load()))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, r)
	return true
}

func start(sink Sink) *Recorder {
	r := New(Options{
		Host: "h", Daemon: "d", Sink: sink, Now: time.Now, LogLines: 20,
		Tools: Tools{Fill: byName, Ring: func() Ring {
			ring, _ := logring.New(logring.Defaults())
			return ring
		}},
	})
	go r.Run()
	return r
}

// TestNeverWaits: whoever takes the records may hang; who tells of what happens
// does not, and what is left out is counted.
func TestNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{}
		sink.took.Store(int64(time.Hour))
		r := start(sink)
		began := time.Now()
		const n = 20_000
		for i := range n {
			r.Event(&pm2.Event{Kind: pm2.EventErr, Name: "web", Chunk: []byte("a line\n")})
			r.Event(&pm2.Event{Kind: pm2.EventCustom, Name: "web", PMID: i, Custom: &pm2.Custom{Name: "x"}})
			r.Exit(exits.Exit{Name: "web", PMID: i, Reason: exits.Operator}, 1)
		}
		if took := time.Since(began); took > 0 {
			t.Errorf("telling took %s", took)
		}
		if len(r.queue) > maxQueue || r.bytes.Load() > maxQueueBytes+1<<20 {
			t.Errorf("%d items of %d bytes wait", len(r.queue), r.bytes.Load())
		}
		d := r.Dropped()
		if d[0] < n/2 || d[2] < n/2 || d[3] < n/2 {
			t.Errorf("left out: %v", d)
		}
		sink.took.Store(0)
		r.Close()
		var ends, events uint64
		for _, rec := range sink.all {
			switch rec.Kind {
			case record.Exit:
				ends++
			case record.Event:
				events++
			}
		}
		if ends+d[0] != n || events+d[2] != n {
			t.Errorf("%d ends and %d events are recorded, %v are left out of %d each", ends, events, d, n)
		}
	})
}

// TestIdleTicksNot: with nothing to wait for there is no timer.
func TestIdleTicksNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{}
		r := start(sink)
		ev := byFork("boom")
		ev.Name = "web"
		r.Event(&ev)
		time.Sleep(holdThrown + time.Second)
		sink.mu.Lock()
		if len(sink.all) != 1 {
			t.Errorf("%d records", len(sink.all))
		}
		sink.mu.Unlock()
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		if r.core.busy() {
			t.Error("something is waited for")
		}
		r.Close()
	})
}

// TestLastLines: those of the throw, and not those of the next life.
func TestLastLines(t *testing.T) {
	w := newWorld(t)
	w.opts.LogLines = 3
	w.opts.Tools.Ring = func() Ring {
		ring, _ := logring.New(logring.Options{Lines: 40, Line: 100, Bytes: 4000})
		return ring
	}
	write := func(text string) {
		w.event(pm2.Event{Kind: pm2.EventOut, Chunk: []byte(text)})
	}
	w.online(w.at, "1")
	write("one\ntwo\nth")
	write("ree\n\nfour\n")
	w.event(byFork("boom"))
	w.end(exits.Crash, 1, false)
	w.pass(400 * time.Millisecond)
	w.online(w.at, "1")
	write("the next life\n")
	w.pass(10 * time.Second)
	n := 0
	for _, r := range w.sink.records {
		if r.Kind != record.Exit && r.Kind != record.Exception {
			continue
		}
		n++
		if got := fmt.Sprint(r.Logs[0].Text, r.Logs[1].Text, r.Logs[2].Text, len(r.Logs)); got != "two three four 3" && got != "twothreefour3" {
			t.Errorf("%s: %q", r.Kind, got)
		}
	}
	if n != 2 {
		t.Errorf("%d records", n)
	}
}

// TestLinesAfterAThrow: what a process that lives on writes later is not part
// of it.
func TestLinesAfterAThrow(t *testing.T) {
	w := newWorld(t)
	w.opts.LogLines = 3
	w.opts.Tools.Ring = func() Ring {
		ring, _ := logring.New(logring.Options{Lines: 40, Line: 100, Bytes: 4000})
		return ring
	}
	w.event(pm2.Event{Kind: pm2.EventErr, Chunk: []byte("before\n")})
	w.event(byFork("boom"))
	w.pass(200 * time.Millisecond)
	w.event(pm2.Event{Kind: pm2.EventErr, Chunk: []byte("of it\n")})
	w.pass(lateLines)
	w.event(pm2.Event{Kind: pm2.EventErr, Chunk: []byte("later\n")})
	w.pass(5 * time.Second)
	if r := w.sink.records[0]; len(r.Logs) != 2 || r.Logs[1].Text != "of it" {
		t.Errorf("%+v", r.Logs)
	}
}

// TestLinesOfABusyHost: PM2 passes lines and throws on late, and says of lines
// that late time alone.
func TestLinesOfABusyHost(t *testing.T) {
	w := newWorld(t)
	w.opts.LogLines = 3
	w.opts.Tools.Ring = func() Ring {
		ring, _ := logring.New(logring.Options{Lines: 40, Line: 100, Bytes: 4000})
		return ring
	}
	thrown := byExtension("boom", 1)
	thrown.Thrown.At = w.at
	w.pass(3 * time.Second)
	w.event(pm2.Event{Kind: pm2.EventErr, Chunk: []byte("before\n")})
	w.event(thrown)
	w.pass(5 * time.Second)
	if r := w.sink.records[0]; r.Time() != begin || len(r.Logs) != 1 || r.Logs[0].Text != "before" {
		t.Errorf("%v %+v", r.Time(), r.Logs)
	}
}
