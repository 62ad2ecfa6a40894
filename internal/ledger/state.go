package ledger

import (
	"time"
)

// State is a ledger as it is written at an orderly shutdown. Of what it holds
// only names and numbers that are metrics anyway come from PM2, and PM2's own
// unique id of a process.
type State struct {
	Begun time.Time `json:"begun"`
	// Primed is true once a list was applied.
	Primed bool        `json:"primed"`
	Apps   []AppState  `json:"apps"`
	Procs  []ProcState `json:"procs"`
	IDs    []ProcKey   `json:"ids"`
	// Through and Ext are of processes that report.
	Through int64      `json:"through,omitempty"`
	Ext     []ExtState `json:"ext,omitempty"`
}

// AppState is an App with its key.
type AppState struct {
	AppKey
	App
	Series []*Series   `json:"series,omitempty"`
	Slow   []SlowCount `json:"slow,omitempty"`
}

// ProcState is a Proc with its key.
type ProcState struct {
	ProcKey
	Proc
}

// Save returns the ledger's state.
func (l *Ledger) Save() State {
	s := State{Begun: l.begun, Primed: l.primed, Through: l.through, Ext: l.saveExt()}
	for key, app := range l.apps {
		s.Apps = append(s.Apps, AppState{AppKey: key, App: *app, Series: app.series, Slow: app.slow})
	}
	for key, proc := range l.procs {
		s.Procs = append(s.Procs, ProcState{key, *proc})
	}
	for id, key := range l.ids {
		s.IDs = append(s.IDs, ProcKey{key, id})
	}
	return s
}

// Restore returns the ledger that Save described.
func Restore(s State) *Ledger {
	l := New(s.Begun)
	l.primed = s.Primed
	for _, a := range s.Apps {
		app := a.App
		app.series, app.slow = a.Series, a.Slow
		app.recount()
		l.apps[a.AppKey] = &app
		if app.GoneAt.IsZero() {
			l.live++
			l.distinct += app.distinct
		}
	}
	for _, p := range s.Procs {
		proc := p.Proc
		l.procs[p.ProcKey] = &proc
	}
	for _, k := range s.IDs {
		l.ids[k.PMID] = k.AppKey
	}
	l.through = s.Through
	for i := range s.Ext {
		l.restoreExt(&s.Ext[i])
	}
	return l
}

// Lost counts, as ends for a reason that nobody can tell, the restarts that
// happened while PM2's log could not be followed, less the ends that were
// counted since the last list. It is to be called before
// Apply.
func (l *Ledger) Lost(restarts func(ProcKey) (now int64, uniqueID string, ok bool), emit func(key ProcKey, n uint64)) {
	for key, p := range l.procs {
		if !p.GoneAt.IsZero() {
			continue
		}
		now, id, ok := restarts(key)
		if missed := now - p.Base - int64(p.Ended); ok && id == p.UniqueID && missed > 0 {
			emit(key, uint64(missed))
		}
	}
}
