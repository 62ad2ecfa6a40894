package ledger

import (
	"math"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// staleFor is for how long what a process said of itself describes it.
const staleFor = 90 * time.Second

// NodeCounters are counts of one of PM2's process ids over all its processes.
type NodeCounters struct {
	Created time.Time `json:"created"`
	GC      [4]pm2.GC `json:"gc"`
	Active  float64   `json:"active"`
	Idle    float64   `json:"idle"`
	Known   bool      `json:"known"` // something was told
}

// advance adds what a process has more than at its last report.
func (n *NodeCounters) advance(lf *life, r *pm2.Runtime) {
	n.Known = true
	first := !lf.hasRuntime && !lf.whole
	lf.hasRuntime = true
	for i := range r.GC {
		now, was := &r.GC[i], &lf.gc[i]
		if now.Count < was.Count || !follows(now, was) {
			continue // an older report
		}
		if !first {
			grow(&n.GC[i], now, was)
		}
		*was = *now
	}
	for i, loop := range [2]struct {
		total *float64
		now   float64
	}{{&n.Active, r.Active}, {&n.Idle, r.Idle}} {
		if !(loop.now > lf.loop[i]) {
			continue
		}
		if !first {
			*loop.total += loop.now - lf.loop[i]
		}
		lf.loop[i] = loop.now
	}
}

func follows(now, was *pm2.GC) bool {
	rest, before := now.Count, was.Count
	for i, n := range was.Buckets {
		if now.Buckets[i] < n {
			return false
		}
		rest -= now.Buckets[i]
		before -= n
	}
	return rest >= before && now.Sum >= was.Sum
}

func grow(total, now, was *pm2.GC) {
	total.Count += now.Count - was.Count
	total.Sum += now.Sum - was.Sum
	for i := range total.Buckets {
		total.Buckets[i] += now.Buckets[i] - was.Buckets[i]
	}
}

// Present is what the process that runs now under one of PM2's ids said last.
type Present struct {
	ReportedAt time.Time
	Fresh      bool        // what follows still describes it
	InFlight   float64     // NaN where it does not say
	Runtime    pm2.Runtime // NaN where it does not say
}

// Present returns what the process that PM2 started at that time, under that
// number, says of itself. Where that one does not report, as npm, the one
// below it with the lowest number speaks; requests in flight are those of all.
// ok is false where nobody said anything yet.
func (l *Ledger) Present(key ProcKey, pid int, started, now time.Time) (p Present, ok bool) {
	x, found := l.ext[key.PMID]
	if !found || x.app != key.AppKey {
		return Present{}, false
	}
	var speaker *life
	speakerPID := 0
	p.InFlight = math.NaN()
	for k, lf := range x.lives {
		if lf.retired || lf.seq == 0 || !started.IsZero() && k.start < started.Add(-startSlack).UnixMilli() {
			continue
		}
		fresh := now.Sub(lf.seen) <= staleFor
		if fresh && lf.hasHTTP {
			p.InFlight = lf.inFlight + zeroIfNaN(p.InFlight)
		}
		if speaker == nil || better(k.pid == pid, speakerPID == pid, fresh, now.Sub(speaker.seen) <= staleFor, k.pid < speakerPID) {
			speaker, speakerPID = lf, k.pid
		}
	}
	if speaker == nil {
		return Present{}, false
	}
	p.ReportedAt, p.Fresh, p.Runtime = speaker.seen, now.Sub(speaker.seen) <= staleFor, speaker.runtime
	return p, true
}

// better decides between two processes by pairs of facts, in this order.
func better(listed, oldListed, fresh, oldFresh, lower bool) bool {
	switch {
	case listed != oldListed:
		return listed
	case fresh != oldFresh:
		return fresh
	}
	return lower
}

func zeroIfNaN(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Node returns the counts of one of PM2's process ids; ok is false where no
// process of it has ever reported.
func (l *Ledger) Node(key ProcKey) (n NodeCounters, ok bool) {
	if x, found := l.ext[key.PMID]; found && x.app == key.AppKey {
		return x.node, x.node.Known
	}
	return NodeCounters{}, false
}
