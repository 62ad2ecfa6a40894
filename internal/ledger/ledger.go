// Package ledger keeps the counters of one PM2 daemon's apps and processes.
//
// PM2's own counts fall on reset, update and delete; the ledger's do not. It
// guarantees:
//   - a counter never falls while the ledger lives;
//   - what had happened before the ledger began is not counted: a ledger
//     without saved state begins at 0, because Prometheus adds whatever it
//     finds after a step back;
//   - a ledger that is restored from the state of an orderly shutdown goes on
//     where it was;
//   - memory is bounded whatever apps do.
//
// It is not safe for concurrent use and reads no clock.
package ledger

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/procfs"
)

// Bounds of one ledger.
const (
	MaxApps     = 1000               // apps that are told apart; the others are Other
	maxGone     = 4000               // apps or processes remembered after they were deleted
	rememberFor = 7 * 24 * time.Hour // how long
	// anewAfter is how long an app may be gone and still be the same to those who
	// count its ends: a deploy deletes and starts again. An old count that comes
	// back later would look like ends that have just happened.
	anewAfter = 5 * time.Minute
)

// Other stands for all apps over the bound.
const Other = "(other)"

// AppKey names an app within a daemon.
type AppKey struct {
	Namespace string `json:"namespace"`
	App       string `json:"app"`
}

// ProcKey names a process within a daemon.
type ProcKey struct {
	AppKey
	PMID int `json:"pm_id"`
}

// App holds the counters of one app. The arrays are in the catalog's order.
type App struct {
	Created    time.Time  `json:"created"`
	Exits      [11]uint64 `json:"exits"`
	Exceptions [2]uint64  `json:"exceptions"` // handled, not handled
	Events     [11]uint64 `json:"events"`
	LogLines   [2]uint64  `json:"log_lines"`

	Version    string    `json:"version,omitempty"`
	Revision   string    `json:"revision,omitempty"`
	VersionAt  time.Time `json:"version_at"`
	DeployedAt time.Time `json:"deployed_at"` // zero until a change was seen

	GoneAt time.Time `json:"gone_at"` // zero while PM2 lists it

	Collapsed uint64 `json:"collapsed"` // routes that pm25-ext folded
	Reported  bool   `json:"reported"`  // some process reported on its requests

	series   []*Series // in order
	distinct int       // of them, those that are not folded
	slow     []SlowCount
}

// Proc holds the counters of one process.
type Proc struct {
	Created  time.Time `json:"created"`
	Restarts uint64    `json:"restarts"`
	UniqueID string    `json:"unique_id,omitempty"`
	Base     int64     `json:"base"` // PM2's restart_time that Restarts accounts for

	ExitCode int       `json:"exit_code"` // -1: not known
	ExitAt   time.Time `json:"exit_at"`

	User     float64 `json:"user_seconds"`
	System   float64 `json:"system_seconds"`
	Children float64 `json:"children_seconds"`
	Life     Life    `json:"life"`

	// Ended counts the ends since the last list.
	Ended uint64 `json:"ended,omitempty"`

	GoneAt time.Time `json:"gone_at"`
}

// Life is one run of a process and how much of its CPU time is accounted for.
type Life struct {
	PID        int     `json:"pid"`
	StartTicks uint64  `json:"start_ticks"`
	User       float64 `json:"user"`
	System     float64 `json:"system"`
	Children   float64 `json:"children"`
}

// Ledger holds the counters of one daemon.
type Ledger struct {
	begun    time.Time // lives that began later count whole
	primed   bool      // a list was applied, so a process not seen before is new
	apps     map[AppKey]*App
	procs    map[ProcKey]*Proc
	ids      map[int]AppKey // by pm_id, of the last list and of the bus
	live     int            // apps that PM2 lists
	prunedAt time.Time
	dropped  uint64
	folded   map[AppKey]bool // counted in dropped
	reasons  []string
	events   []string

	limits       Limits
	ext          map[int]*extProc // by pm_id
	through      int64            // lives that began until then may have been forgotten
	distinct     int              // series of the apps that PM2 lists
	cells        int              // room that baselines take
	foldedSeries uint64
	tidiedAt     time.Time
}

// Limits are bounds of what is told apart. Zero values are the defaults.
type Limits struct {
	AppSeries int // series of requests of one app
	Series    int // … and of all
}

// New returns a ledger in which nothing has happened yet.
func New(now time.Time) *Ledger {
	return &Ledger{
		begun: now, apps: map[AppKey]*App{}, procs: map[ProcKey]*Proc{}, ids: map[int]AppKey{},
		limits: Limits{DefaultAppSeries, DefaultSeries}, ext: map[int]*extProc{},
		reasons: catalog.Reasons(), events: catalog.Events(),
	}
}

// Limit sets bounds; what is over them already stays.
func (l *Ledger) Limit(to Limits) {
	l.limits = Limits{cmp.Or(to.AppSeries, DefaultAppSeries), cmp.Or(to.Series, DefaultSeries)}
}

// App returns the counters of an app, nil where there are none.
func (l *Ledger) App(key AppKey) *App { return l.apps[key] }

// Proc returns the counters of a process, nil where there are none.
func (l *Ledger) Proc(key ProcKey) *Proc { return l.procs[key] }

// Listed returns the apps that PM2 lists, or listed last, in order.
func (l *Ledger) Listed() []AppKey {
	keys := make([]AppKey, 0, len(l.apps))
	for key, app := range l.apps {
		if app.GoneAt.IsZero() {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b AppKey) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.App, b.App))
	})
	return keys
}

// Dropped counts the apps that were folded into Other.
func (l *Ledger) Dropped() uint64 { return l.dropped }

// Key returns the key under which a process is counted and exposed.
func (l *Ledger) Key(p *pm2.Process) ProcKey {
	key := AppKey{p.Namespace, p.Name}
	if _, ok := l.apps[key]; !ok {
		key = AppKey{Other, Other}
	}
	return ProcKey{key, p.PMID}
}

// Hint tells of apps before Apply does, so that the log of the time in
// between can be counted under their namespaces.
func (l *Ledger) Hint(list []pm2.Process, now time.Time) {
	for i := range list {
		l.admit(AppKey{list[i].Namespace, list[i].Name}, now)
	}
}

// Apply takes PM2's list of processes. A new daemon gives running processes
// new unique ids, with counts that begin at 0, and keeps both for those that
// were stopped.
func (l *Ledger) Apply(list []pm2.Process, now time.Time) {
	liveApps, liveProcs, folded := map[AppKey]bool{}, map[ProcKey]bool{}, map[AppKey]bool{}
	started := make(map[int]time.Time, len(list))
	clear(l.ids)
	for i := range list {
		p := &list[i]
		l.ids[p.PMID] = AppKey{p.Namespace, p.Name}
		started[p.PMID] = p.StartedAt
		appKey, app := l.admit(AppKey{p.Namespace, p.Name}, now)
		if name := (AppKey{p.Namespace, p.Name}); appKey != name {
			folded[name] = true
			if !l.folded[name] {
				l.dropped++
			}
		}
		key := ProcKey{appKey, p.PMID}
		liveApps[appKey], liveProcs[key] = true, true
		if !app.GoneAt.IsZero() {
			app.GoneAt = time.Time{}
			l.live++
		}
		app.version(p)
		l.restarts(key, p, now)
	}
	l.primed, l.folded = true, folded
	l.tidyExt(started, now)
	l.retire(liveApps, liveProcs, now)
}

// restarts adds what PM2 counted since the last list.
func (l *Ledger) restarts(key ProcKey, p *pm2.Process, now time.Time) {
	proc, ok := l.procs[key]
	if !ok || longGone(proc.GoneAt, now) {
		proc = &Proc{Created: now, ExitCode: -1, UniqueID: p.UniqueID}
		l.procs[key] = proc
	}
	switch {
	case !l.primed: // before our time, also where the log has told of an end already
		proc.UniqueID, proc.Base = p.UniqueID, p.Restarts
	case proc.UniqueID != p.UniqueID:
		proc.UniqueID, proc.Base = p.UniqueID, 0
	}
	if p.Restarts < proc.Base { // pm2 reset
		proc.Base = 0
	}
	proc.Restarts += uint64(p.Restarts - proc.Base)
	proc.Base, proc.Ended = p.Restarts, 0
	proc.GoneAt = time.Time{}
	if proc.ExitAt.IsZero() && p.HasExitCode && p.ExitCode >= 0 {
		proc.ExitCode = p.ExitCode
	}
}

// version notes a deploy: a life that began after the last one seen, with
// another version or revision. Workers that a rolling reload has not reached
// yet are older and say nothing new.
func (a *App) version(p *pm2.Process) {
	if p.Version == "" && p.Revision == "" || !p.StartedAt.After(a.VersionAt) {
		return
	}
	known := a.Version != "" || a.Revision != ""
	if known && (a.Version != p.Version || a.Revision != p.Revision) {
		a.DeployedAt = p.StartedAt
	}
	a.Version, a.Revision, a.VersionAt = p.Version, p.Revision, p.StartedAt
}

// admit returns the app's counters, or those of Other when there are too many.
func (l *Ledger) admit(key AppKey, now time.Time) (AppKey, *App) {
	if app, ok := l.apps[key]; ok {
		if longGone(app.GoneAt, now) {
			app.anew(now)
		}
		return key, app
	}
	other := AppKey{Other, Other}
	if key != other && (l.live >= MaxApps || len(l.apps) >= MaxApps+maxGone) {
		return l.admit(other, now)
	}
	app := &App{Created: now, GoneAt: now}
	l.apps[key] = app
	return key, app
}

func longGone(at, now time.Time) bool { return !at.IsZero() && now.Sub(at) > anewAfter }

// anew begins the counters again, as those of an app that was never seen. What
// is known of its version stays, to tell a deploy; so do its requests, whose
// baselines are kept elsewhere.
func (a *App) anew(now time.Time) {
	a.Created, a.GoneAt = now, now
	a.Exits, a.Exceptions, a.Events, a.LogLines = [11]uint64{}, [2]uint64{}, [11]uint64{}, [2]uint64{}
}

// Observe adds the CPU time of a sample.
func (l *Ledger) Observe(key ProcKey, s procfs.Sample) {
	p, ok := l.procs[key]
	if !ok {
		return
	}
	if p.Life.PID != s.PID || p.Life.StartTicks != s.StartTicks {
		p.Life = Life{PID: s.PID, StartTicks: s.StartTicks}
		if s.StartTime.Before(l.begun) {
			p.Life.User, p.Life.System, p.Life.Children = s.UserSeconds, s.SystemSeconds, s.ChildrenSeconds
		}
	}
	account := func(total, last *float64, now float64) {
		if now > *last {
			// The kernel counts hundredths; sums of them stay such.
			*total = math.Round((*total+now-*last)*1e4) / 1e4
		}
		*last = now
	}
	account(&p.User, &p.Life.User, s.UserSeconds)
	account(&p.System, &p.Life.System, s.SystemSeconds)
	account(&p.Children, &p.Life.Children, s.ChildrenSeconds)
}

// Exit counts the end of a process.
func (l *Ledger) Exit(e exits.Exit, now time.Time) {
	key, app := l.admit(l.appOf(e.Name, e.PMID), now)
	app.Exits[max(0, slices.Index(l.reasons, string(e.Reason)))]++
	procKey := ProcKey{key, e.PMID}
	p, ok := l.procs[procKey]
	if !ok || longGone(p.GoneAt, now) {
		p = &Proc{Created: now, GoneAt: now}
		l.procs[procKey] = p
	}
	p.ExitCode, p.ExitAt = e.Code, e.At
	p.Ended++
}

// appOf finds the namespace of an app that PM2's log names.
func (l *Ledger) appOf(name string, pmID int) AppKey {
	if key, ok := l.ids[pmID]; ok && key.App == name {
		return key
	}
	found := AppKey{"default", name}
	for key := range l.apps {
		if key.App == name {
			found = key
			if l.apps[key].GoneAt.IsZero() {
				break
			}
		}
	}
	return found
}

// Event counts a message of the bus.
func (l *Ledger) Event(ev *pm2.Event, now time.Time) {
	if ev.Name == "" || ev.PMID < 0 {
		return
	}
	namespace := ev.Namespace
	if namespace == "" {
		namespace = "default"
	}
	key := AppKey{namespace, ev.Name}
	if ev.Kind == pm2.EventLifecycle && !ev.Retired {
		l.ids[ev.PMID] = key
	}
	_, app := l.admit(key, now)
	switch ev.Kind {
	case pm2.EventReport, pm2.EventExtException:
		return // messages of ours
	case pm2.EventTransaction:
		app.transaction(ev, now)
	case pm2.EventLifecycle:
		if x, ok := l.ext[ev.PMID]; ok {
			x.lifecycle(ev, now)
		}
	case pm2.EventOut:
		app.LogLines[0] += uint64(ev.Lines)
		return
	case pm2.EventErr:
		app.LogLines[1] += uint64(ev.Lines)
		return
	case pm2.EventException:
		if ev.Notified {
			app.Exceptions[0]++
		} else {
			x, _ := l.reporter(ev, now)
			x.seen = now
			x.reported(app, ev.Retired)
		}
	}
	app.Events[max(0, slices.Index(l.events, eventName(ev)))]++
}

// eventName maps a message to the closed set of the catalog.
func eventName(ev *pm2.Event) string {
	switch ev.Kind {
	case pm2.EventException:
		return "exception"
	case pm2.EventMessage:
		return "message"
	case pm2.EventCustom, pm2.EventHuman, pm2.EventExtEvent, pm2.EventTransaction:
		return "custom"
	case pm2.EventLifecycle:
		switch ev.Lifecycle {
		case "start", "online", "exit", "restart", "reload", "stop":
			return ev.Lifecycle
		case "restart overlimit":
			return "restart_overlimit"
		}
	}
	return "other"
}
