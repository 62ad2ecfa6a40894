package watch

import (
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/pm2"
)

// event takes a message of the bus.
func (w *Watcher) event(ev *pm2.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.opts.Now()
	w.heardAt = now
	w.stats.Messages[ev.Kind]++
	w.catchLine()
	switch ev.Kind {
	case pm2.EventDaemonLog:
		w.announced(ev.Text, now)
		return
	case pm2.EventLifecycle:
		w.dirty = true
		w.classifier.Lifecycle(ev.Lifecycle, ev.Status, ev.PMID)
	case pm2.EventException:
		// The recorder hears of what was thrown before the end it may bring about.
		w.count(ev)
		if !ev.Notified { // the app itself lives on
			w.classifier.Exception(ev.PMID)
		}
		return
	case pm2.EventKill:
		w.dirty = true
	}
	w.count(ev)
}

// count hands a message to the ledger. The lock is held.
func (w *Watcher) count(ev *pm2.Event) {
	now := w.opts.Now()
	if ev.Kind == pm2.EventReport {
		if err := w.ledger.Report(ev, now); err != nil {
			w.misunderstood(err)
		}
	}
	w.ledger.Event(ev, now)
	if w.opts.Recorder != nil {
		w.opts.Recorder.Event(ev)
	}
}

func (w *Watcher) undecodable(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.misunderstood(err)
}

// misunderstood counts a message. The lock is held.
func (w *Watcher) misunderstood(err error) {
	if w.stats.DecodeErrors++; w.stats.DecodeErrors == 1 {
		level.Warn(w.log).Log("msg", "PM2 sent something that can not be decoded; counted from now on in pm25_agent_decode_errors_total", "err", err)
	}
}
