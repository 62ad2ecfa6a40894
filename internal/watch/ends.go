package watch

import (
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
)

// Recorder makes records of what happens: see package recorder. It keeps
// nothing of an event that does not last, and never blocks.
type Recorder interface {
	Event(ev *pm2.Event)
	// Names takes a list of which only whose process an id is counts: ends that
	// came before it are told of next.
	Names(list []pm2.Process)
	List(list []pm2.Process)
	Exit(e exits.Exit, times uint64)
	// Dropped counts what was left out, in the order of the catalog.
	Dropped() [4]uint64
}

// exit takes an end that the classifier judged. The lock is held.
func (w *Watcher) exit(e exits.Exit) {
	w.dirty = true
	w.ended(e, 1)
	level.Debug(w.log).Log("msg", "Process ended", "app", e.Name, "pm_id", e.PMID, "reason", e.Reason, "code", e.Code)
}

// ended counts and records an end, or several that nobody knows more of. The
// lock is held.
func (w *Watcher) ended(e exits.Exit, times uint64) {
	if !w.retelling {
		for range min(times, 1_000_000) {
			w.ledger.Exit(e, w.opts.Now())
		}
	}
	if w.opts.Recorder != nil {
		w.opts.Recorder.Exit(e, times)
	}
}
