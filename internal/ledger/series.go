package ledger

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// Bounds of the series of requests.
const (
	// DefaultAppSeries and DefaultSeries are how many combinations of method,
	// route and code are told apart of one app and of all apps of a daemon.
	// What is over them counts in (other), which an app has once for each code.
	DefaultAppSeries = 500
	DefaultSeries    = 5000
	idleFor          = 7 * 24 * time.Hour // a series that nothing adds to is kept
)

// SeriesKey names a series within an app.
type SeriesKey struct {
	Method string `json:"method"`
	Route  string `json:"route"`
	Code   string `json:"code"`
}

func (k SeriesKey) folded() SeriesKey { return SeriesKey{Other, Other, k.Code} }

func (k SeriesKey) compare(o SeriesKey) int {
	return cmp.Or(strings.Compare(k.Route, o.Route), strings.Compare(k.Method, o.Method), strings.Compare(k.Code, o.Code))
}

// Series is one series of an app's requests, over all its processes.
type Series struct {
	SeriesKey
	Histogram
	Created time.Time `json:"created"`
	GrownAt time.Time `json:"grown_at"`
	// Exemplars are slow requests, at most one for each classic bucket. They
	// are not kept over a restart.
	Exemplars []Exemplar `json:"-"`
}

// Exemplar is one request of a series.
type Exemplar struct {
	Bucket  int // index in the classic buckets; behind the last: above them
	ID      string
	Seconds float64
	At      time.Time
}

// SlowKey names a count of slow requests that pmx reported.
type SlowKey struct {
	Method string `json:"method"`
	Code   string `json:"code"`
}

// SlowCount is how many there were.
type SlowCount struct {
	SlowKey
	Created time.Time `json:"created"`
	Count   uint64    `json:"count"`
}

// Series returns the app's series in order. They are the ledger's.
func (a *App) Series() []*Series { return a.series }

// Slow returns what pmx reported of the app's slow requests, in order.
func (a *App) Slow() []SlowCount { return a.slow }

// find returns the series of that name, nil if there is none.
func (a *App) find(key SeriesKey) *Series {
	if i, ok := a.place(key); ok {
		return a.series[i]
	}
	return nil
}

func (a *App) place(key SeriesKey) (int, bool) {
	return slices.BinarySearchFunc(a.series, key, func(s *Series, k SeriesKey) int { return s.compare(k) })
}

// openSeries returns the series of that name, or the one it is folded into.
func (l *Ledger) openSeries(app *App, key SeriesKey, now time.Time) *Series {
	i, ok := app.place(key)
	if ok {
		return app.series[i]
	}
	if fold := key.folded(); key != fold {
		if app.distinct >= l.limits.AppSeries || l.distinct >= l.limits.Series {
			l.foldedSeries++
			return l.openSeries(app, fold, now)
		}
		app.distinct++
		l.distinct++
	}
	s := &Series{SeriesKey: key, Created: now, GrownAt: now}
	app.series = slices.Insert(app.series, i, s)
	return s
}

// FoldedSeries counts how often a process had a series that was folded into
// (other) or left out.
func (l *Ledger) FoldedSeries() uint64 { return l.foldedSeries }

// note keeps a slow request as an exemplar of its bucket.
func (s *Series) note(r *pm2.SlowRequest) {
	bounds := pm2.ReportBounds()
	bucket, _ := slices.BinarySearch(bounds[:], r.Seconds)
	if bucket < len(s.Classic) && s.Classic[bucket] == 0 || bucket == len(s.Classic) && above(s.Count, s.Classic) == 0 {
		return // of before our time
	}
	e := Exemplar{Bucket: bucket, ID: r.ID, Seconds: r.Seconds, At: time.UnixMilli(r.At)}
	i, ok := slices.BinarySearchFunc(s.Exemplars, bucket, func(e Exemplar, b int) int { return e.Bucket - b })
	switch {
	case !ok:
		s.Exemplars = slices.Insert(s.Exemplars, i, e)
	case s.Exemplars[i].At.Before(e.At):
		s.Exemplars[i] = e
	}
}

// transaction counts a slow request that pmx reported.
func (a *App) transaction(ev *pm2.Event, now time.Time) {
	key := SlowKey{ev.Method, ev.Code}
	i, ok := slices.BinarySearchFunc(a.slow, key, func(s SlowCount, k SlowKey) int {
		return cmp.Or(strings.Compare(s.Method, k.Method), strings.Compare(s.Code, k.Code))
	})
	if !ok {
		a.slow = slices.Insert(a.slow, i, SlowCount{SlowKey: key, Created: now})
	}
	a.slow[i].Count++
}

// pruneSeries forgets series that nothing adds to any more, and those of apps
// that are gone where there are too many of them.
func (l *Ledger) pruneSeries(now time.Time) {
	inUse := map[*Series]bool{}
	for _, x := range l.ext {
		for _, lf := range x.lives {
			for _, b := range lf.series {
				inUse[b.into] = true
			}
		}
	}
	var gone []*App
	left := 0
	for _, app := range l.apps {
		app.series = slices.DeleteFunc(app.series, func(s *Series) bool {
			return !inUse[s] && now.Sub(s.GrownAt) > idleFor
		})
		app.recount()
		if !app.GoneAt.IsZero() && len(app.series) > 0 && !slices.ContainsFunc(app.series, func(s *Series) bool { return inUse[s] }) {
			gone = append(gone, app)
			left += len(app.series)
		}
	}
	slices.SortFunc(gone, func(a, b *App) int { return a.GoneAt.Compare(b.GoneAt) })
	for _, app := range gone {
		if left <= l.limits.Series {
			break
		}
		left -= len(app.series)
		app.series, app.distinct = nil, 0
	}
}

// recount counts the series that are not folded.
func (a *App) recount() {
	a.distinct = 0
	for _, s := range a.series {
		if s.SeriesKey != s.folded() {
			a.distinct++
		}
	}
}
