package watch

import (
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/pm2/exits"
)

// State is what an orderly shutdown leaves behind of one daemon.
type State struct {
	Label   string              `json:"daemon"`
	Saved   time.Time           `json:"saved"`
	Log     *daemonlog.Position `json:"log,omitempty"`
	Running []exits.Process     `json:"running"`
	OOM     *OOMState           `json:"oom,omitempty"`
	Ledger  ledger.State        `json:"ledger"`
}

// Save reads what there is to read, and returns the state. The Watcher must
// not run any more, but its daemon may.
func (w *Watcher) Save() State {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.readLog(nil, false)
	w.classifier.Settle()
	w.classifier.Flush()
	s := State{Label: w.opts.Candidate.Label, Saved: w.opts.Now(), Running: w.classifier.Running(), OOM: w.oom.save(), Ledger: w.ledger.Save()}
	switch {
	case w.tail.Opened():
		pos := w.tail.Position()
		s.Log = &pos
	case w.resume != nil:
		s.Log = w.resume // it never came back
	}
	w.tail.Close()
	return s
}

// Place is how far the log was read, if there is one; see Options.Place.
func (w *Watcher) Place() (pos daemonlog.Position, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.retelling || !w.tail.Opened() {
		return pos, false
	}
	return w.tail.Position(), true
}

func (w *Watcher) restore(s *State) {
	w.ledger = ledger.Restore(s.Ledger)
	w.classifier.Restore(s.Running)
	w.resume = s.Log
	w.unplaced = s.Log == nil && len(s.Ledger.Procs) > 0
	w.oom.restored = s.OOM
	w.listedAt = time.Time{}
}
