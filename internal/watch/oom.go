package watch

import (
	"time"

	"github.com/pm25/pm25/internal/pm2/exits"
)

// oomWatch tells whether the kernel's out-of-memory killer struck: its count
// moved since a moment safely before the end in question.
type oomWatch struct {
	counter  OOMCounter
	restored *OOMState // the count when the agent stopped
	source   string
	bootID   string
	older    oomReading // taken before newer, so that one of them is old enough
	newer    oomReading
}

type oomReading struct {
	value uint64
	at    time.Time
}

// OOMState is the count at an orderly shutdown.
type OOMState struct {
	BootID string `json:"boot_id"`
	Source string `json:"source"`
	Value  uint64 `json:"value"`
}

// settled is how long a reading must precede an end to be its baseline: PM2
// reports an end within milliseconds of the kill.
const settled = 2 * time.Second

func (o *oomWatch) begin(counter OOMCounter, bootID string, now time.Time) {
	closeCounter(o.counter)
	o.counter, o.bootID, o.restored = counter, bootID, nil
	o.older, o.newer = oomReading{}, oomReading{}
	if v, source, err := counter.Read(); err == nil {
		o.source = source
		o.newer = oomReading{v, now}
		o.older = o.newer
	}
}

// sample takes a reading now and then.
func (o *oomWatch) sample(now time.Time) {
	if o.counter == nil || now.Sub(o.newer.at) < 15*time.Second {
		return
	}
	v, source, err := o.counter.Read()
	if err != nil {
		return
	}
	if source != o.source {
		o.source, o.newer = source, oomReading{v, now}
	}
	o.older, o.newer = o.newer, oomReading{v, now}
}

// struck answers for an end that happened just now.
func (o *oomWatch) struck(now time.Time) exits.Verdict {
	if o.counter == nil || o.older.at.IsZero() {
		return exits.CannotTell
	}
	v, source, err := o.counter.Read()
	if err != nil || source != o.source {
		return exits.CannotTell
	}
	base := &o.newer
	if now.Sub(base.at) < settled {
		base = &o.older
	}
	if v <= base.value {
		return exits.No
	}
	base.value++ // one kill explains one end
	return exits.Yes
}

// struckWhileAway answers for an end between two runs of the agent: if the
// count stands where it stood, it was not the kernel.
func (o *oomWatch) struckWhileAway(counter OOMCounter, bootID string) exits.Verdict {
	if o.restored == nil || counter == nil || o.restored.BootID != bootID {
		return exits.CannotTell
	}
	v, source, err := counter.Read()
	if err == nil && source == o.restored.Source && v == o.restored.Value {
		return exits.No
	}
	return exits.CannotTell
}

func (o *oomWatch) save() *OOMState {
	if o.counter == nil {
		return nil
	}
	v, source, err := o.counter.Read()
	if err != nil {
		return nil
	}
	return &OOMState{BootID: o.bootID, Source: source, Value: v}
}

// oomKilled answers the classifier.
func (w *Watcher) oomKilled(live bool) exits.Verdict {
	if live {
		return w.oom.struck(w.opts.Now())
	}
	if w.oom.counter == nil {
		w.oom.counter = w.opts.OOM(w.peer)
	}
	counter := w.oom.counter
	if w.oom.restored == nil {
		// The connection was lost, not the agent.
		return w.oom.struck(w.opts.Now())
	}
	return w.oom.struckWhileAway(counter, w.opts.BootID)
}

// closeCounter frees a counter that holds a file open.
func closeCounter(c OOMCounter) {
	if closer, ok := c.(interface{ Close() }); ok {
		closer.Close()
	}
}
