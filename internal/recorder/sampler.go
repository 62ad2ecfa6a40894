package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/record"
)

// Bounds of the exceptions that are told apart at a time.
const (
	sampleWindow  = time.Minute
	maxWindows    = 1000 // of all apps
	maxAppWindows = 100
)

// sampler keeps of the exceptions of one kind the first of a minute and the
// latest, which stands for all others.
type sampler struct {
	open   map[sampleKey]*window
	perApp map[appKey]int
	// emit makes a record stand for n throws and hands it on. The record may be
	// changed, what it points to may not.
	emit func(r record.Record, n uint64) bool
}

// sampleKey is what makes exceptions of one kind.
type sampleKey struct {
	app         appKey
	fingerprint string // empty for those over the bound
	handled     bool
	version     string
	revision    string
}

// window is one kind's minute.
type window struct {
	since   time.Time
	waiting uint64
	latest  record.Record
}

// add takes a record of kind exception that stands for n throws.
func (s *sampler) add(r *record.Record, n uint64, now time.Time) {
	app := appKey{r.Namespace, r.App}
	key := sampleKey{app, r.Exception.Fingerprint, r.Exception.Handled, r.Version, r.Revision}
	w, ok := s.open[key]
	if !ok && (s.perApp[app] >= maxAppWindows || len(s.open) >= maxWindows) {
		key = sampleKey{app: app, handled: key.handled}
		w, ok = s.open[key]
		overBound(r)
	}
	if ok {
		w.waiting += n
		w.latest = *r
		return
	}
	w = &window{since: now, latest: *r}
	s.open[key] = w
	s.perApp[app]++
	if !s.emit(*r, n) {
		w.waiting = n
	}
}

// sweep ends the windows that are over.
func (s *sampler) sweep(now time.Time) {
	for key, w := range s.open {
		if now.Sub(w.since) >= sampleWindow {
			s.end(key, w, now)
		}
	}
}

// end records what waits; a kind that still comes begins another window.
func (s *sampler) end(key sampleKey, w *window, now time.Time) {
	if w.waiting == 0 {
		delete(s.open, key)
		if s.perApp[key.app]--; s.perApp[key.app] <= 0 {
			delete(s.perApp, key.app)
		}
		return
	}
	w.since = now
	w.latest.ID = "" // a record of its own
	if s.emit(w.latest, w.waiting) {
		w.waiting = 0
	}
}

// flush records all that waits.
func (s *sampler) flush(now time.Time) {
	for key, w := range s.open {
		s.end(key, w, now)
	}
}
