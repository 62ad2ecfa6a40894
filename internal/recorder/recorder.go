// Package recorder makes records of what one PM2 daemon, pm25-ext and the
// apps' logs tell: one record for one thing that happened, however many
// sources told of it.
//
// It guarantees that who tells it anything never waits, that memory is bounded
// whatever apps do, that what had to be left out is counted, and that the
// occurrences of all records of exceptions add up to the throws that were
// seen. It keeps nothing on disk and sends nothing: that is for the Sink.
package recorder

import (
	"bytes"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/record"
)

// Sink takes records. Offer must not block; it is false for a record that was
// not taken. A record belongs to the Sink once it was offered.
type Sink interface {
	Offer(r *record.Record) bool
}

// Bounds of what waits.
const (
	maxQueue      = 4096
	maxQueueBytes = 8 << 20
	tickEvery     = 250 * time.Millisecond
)

// Options of a Recorder. All but LogLines and LogExceptions are required.
type Options struct {
	Host, Daemon string
	Sink         Sink
	Tools        Tools
	Now          func() time.Time
	// LogLines is how many of a process's last lines go with its exceptions and
	// crashes, at most record.MaxLogs.
	LogLines int
	// LogExceptions says that stacks which only reach the log are exceptions.
	LogExceptions bool
}

type counters struct{ lifecycles, exceptions, events, logText atomic.Uint64 }

// Recorder takes what happens under one daemon. Its methods are safe for
// concurrent use and never wait, but for Close.
type Recorder struct {
	core    *core
	now     func() time.Time
	queue   chan *item
	bytes   atomic.Int64
	dropped counters

	mu     sync.Mutex
	broken map[streamOf]bool // whose text was left out since the last that was queued

	closing   chan struct{}
	closeOnce sync.Once
	done      chan struct{}
}

// item is one thing that is to be recorded.
type item struct {
	at     time.Time
	size   int64
	event  pm2.Event
	slow   []pm2.SlowRequest
	from   lifeOf    // of slow and counts
	counts [4]uint64 // of exceptions, by a report
	list   []pm2.Process
	names  bool // list says no more than whose process an id is
	exit   *exits.Exit
	times  uint64 // of exit
	known  *Version
}

type streamOf struct {
	pmID int
	kind pm2.EventKind
}

type lifeOf struct {
	pid   int
	start int64
}

// Version is what an app is known to have run before.
type Version struct {
	Namespace, App, Version, Revision string
	At                                time.Time // start of the process that told of it
}

// New returns a Recorder; Run makes it work.
func New(o Options) *Recorder {
	o.LogLines = max(0, min(o.LogLines, record.MaxLogs))
	r := &Recorder{now: o.Now, queue: make(chan *item, maxQueue), broken: map[streamOf]bool{}, closing: make(chan struct{}), done: make(chan struct{})}
	r.core = newCore(o, &r.dropped)
	return r
}

// Run works until Close is called.
func (r *Recorder) Run() {
	defer close(r.done)
	ticker := time.NewTicker(time.Hour)
	ticker.Stop()
	defer ticker.Stop()
	ticking := false
	for {
		select {
		case it := <-r.queue:
			r.take(it)
		case <-ticker.C:
			r.core.tick(r.now())
		case <-r.closing:
			r.drain()
			return
		}
		if busy := r.core.busy(); busy != ticking {
			ticking = busy
			if busy {
				ticker.Reset(tickEvery)
			} else {
				ticker.Stop()
			}
		}
	}
}

func (r *Recorder) take(it *item) {
	r.bytes.Add(-it.size)
	r.core.take(it)
}

func (r *Recorder) drain() {
	for {
		select {
		case it := <-r.queue:
			r.take(it)
		default:
			r.core.flush(r.now())
			return
		}
	}
}

// Close makes records of all that still waits, and ends Run, which has to have
// been called.
func (r *Recorder) Close() {
	r.closeOnce.Do(func() { close(r.closing) })
	<-r.done
}

// Dropped counts what was left out, in the order of the catalog: starts, ends
// and lists that came too fast; exceptions likewise; events and slow requests,
// likewise or over what a process may send; messages of apps' logs whose text
// was not read.
func (r *Recorder) Dropped() [4]uint64 {
	d := &r.dropped
	return [4]uint64{d.lifecycles.Load(), d.exceptions.Load(), d.events.Load(), d.logText.Load()}
}

// put queues an item; the text of logs gives way first.
func (r *Recorder) put(it *item, left *atomic.Uint64) (queued bool) {
	it.at = r.now()
	room := cap(r.queue)
	limit := int64(maxQueueBytes)
	if left == &r.dropped.logText {
		room, limit = room/2, limit/2
	}
	if len(r.queue) >= room || r.bytes.Load() > limit {
		left.Add(1)
		return false
	}
	r.bytes.Add(it.size)
	select {
	case r.queue <- it:
		return true
	default:
		r.bytes.Add(-it.size)
		left.Add(1)
		return false
	}
}

// Event takes a message of the bus, or of pm25-ext's socket. It keeps nothing
// of ev that does not last.
func (r *Recorder) Event(ev *pm2.Event) {
	switch ev.Kind {
	case pm2.EventOut, pm2.EventErr:
		r.chunk(ev)
	case pm2.EventReport:
		r.report(ev)
	case pm2.EventLifecycle:
		r.put(&item{event: *ev, size: 512}, &r.dropped.lifecycles)
	case pm2.EventException, pm2.EventExtException:
		if t := ev.Thrown; t != nil {
			r.put(&item{event: *ev, size: int64(512 + len(t.Stack) + len(t.Message) + len(t.Source) + len(t.Context))}, &r.dropped.exceptions)
		}
	case pm2.EventCustom, pm2.EventMessage, pm2.EventHuman, pm2.EventExtEvent:
		if c := ev.Custom; c != nil {
			r.put(&item{event: *ev, size: int64(512 + len(c.Data))}, &r.dropped.events)
		}
	}
}

func (r *Recorder) report(ev *pm2.Event) {
	rep := ev.Report
	if rep == nil || len(rep.Slow) == 0 && rep.Exceptions == nil {
		return
	}
	it := &item{event: *ev, slow: slices.Clone(rep.Slow), from: lifeOf{rep.PID, rep.Start}, size: int64(512 + 256*len(rep.Slow))}
	it.event.Report = nil
	if rep.Exceptions != nil {
		it.counts = *rep.Exceptions
	}
	if len(it.slow) > 0 || it.counts != ([4]uint64{}) {
		r.put(it, &r.dropped.events)
	}
}

func (r *Recorder) chunk(ev *pm2.Event) {
	if ev.Skipped {
		r.dropped.logText.Add(1)
	}
	if len(ev.Chunk) == 0 || !r.core.wantsLogs() {
		return
	}
	it := &item{event: *ev, size: int64(512 + len(ev.Chunk))}
	it.event.Chunk = bytes.Clone(ev.Chunk)
	r.mu.Lock()
	defer r.mu.Unlock()
	key := streamOf{ev.PMID, ev.Kind}
	it.event.ChunkCut = ev.ChunkCut || r.broken[key]
	switch {
	case !r.put(it, &r.dropped.logText):
		if len(r.broken) > maxProcs {
			clear(r.broken)
		}
		r.broken[key] = true
	case r.broken[key]:
		delete(r.broken, key)
	}
}

// List takes PM2's list of processes, which nobody changes any more.
func (r *Recorder) List(list []pm2.Process) {
	r.put(&item{list: list, event: pm2.Event{PMID: -1}, size: 64}, &r.dropped.lifecycles)
}

// Names takes a list that is newer than the ends which are told of next: it
// says whose process an id is, and nothing of when it ran.
func (r *Recorder) Names(list []pm2.Process) {
	r.put(&item{list: list, names: true, event: pm2.Event{PMID: -1}, size: 64}, &r.dropped.lifecycles)
}

// Exit takes the end of a process, or several that nobody knows more of.
func (r *Recorder) Exit(e exits.Exit, times uint64) {
	r.put(&item{exit: &e, times: times, size: 256}, &r.dropped.lifecycles)
}

// Known takes what an app had run before the agent was started.
func (r *Recorder) Known(v Version) {
	r.put(&item{known: &v, size: 256}, &r.dropped.lifecycles)
}
