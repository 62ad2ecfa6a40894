package ledger

import (
	"slices"
	"time"
)

// retire marks what PM2 no longer lists and forgets what is long gone.
func (l *Ledger) retire(liveApps map[AppKey]bool, liveProcs map[ProcKey]bool, now time.Time) {
	for key, app := range l.apps {
		if !liveApps[key] && app.GoneAt.IsZero() {
			app.GoneAt = now
			l.live--
		}
	}
	for key, p := range l.procs {
		if !liveProcs[key] && p.GoneAt.IsZero() {
			p.GoneAt = now
		}
	}
	const slack = maxGone / 4 // so that pruning is seldom
	if now.Sub(l.prunedAt) > time.Hour || len(l.apps) > len(liveApps)+maxGone+slack || len(l.procs) > len(liveProcs)+maxGone+slack {
		l.prunedAt = now
		forget(l.apps, func(a *App) time.Time { return a.GoneAt }, now)
		forget(l.procs, func(p *Proc) time.Time { return p.GoneAt }, now)
		l.pruneSeries(now)
	}
	l.distinct = 0
	for _, app := range l.apps {
		if app.GoneAt.IsZero() {
			l.distinct += app.distinct
		}
	}
}

// forget drops the entries that are gone for too long, or too many.
func forget[K comparable, V any](m map[K]V, goneAt func(V) time.Time, now time.Time) {
	var gone []K
	for k, v := range m {
		at := goneAt(v)
		switch {
		case at.IsZero():
		case now.Sub(at) > rememberFor:
			delete(m, k)
		default:
			gone = append(gone, k)
		}
	}
	if len(gone) <= maxGone {
		return
	}
	slices.SortFunc(gone, func(a, b K) int { return goneAt(m[a]).Compare(goneAt(m[b])) })
	for _, k := range gone[:len(gone)-maxGone] {
		delete(m, k)
	}
}
