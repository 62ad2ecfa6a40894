//go:build unix

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// A question is one that a dashboard asks.
type question struct {
	name string
	ask  func(ctx context.Context) (n int, err error)
}

// asker asks the store over ranges that end with the workload.
type asker struct {
	s *sqlite.Store
	w *workload
}

func (a asker) selection(back time.Duration, selector ...string) sessionstore.Selection {
	sel := sessionstore.Selection{Start: a.w.end.Add(-back).UnixNano(), End: a.w.end.Add(time.Hour).UnixNano(), Backward: true}
	for _, s := range selector {
		name, value, _ := strings.Cut(s, "=")
		sel.Matchers = append(sel.Matchers, labels.MustNewMatcher(labels.MatchEqual, name, value))
	}
	return sel
}

func (a asker) newest(limit int, contains string, back time.Duration, selector ...string) func(context.Context) (int, error) {
	return func(ctx context.Context) (n int, err error) {
		err = a.s.Entries(ctx, a.selection(back, selector...), func(e *sessionstore.Entry) bool {
			if strings.Contains(e.Line, contains) {
				n++
			}
			return n < limit
		})
		return n, err
	}
}

func (a asker) counts(back time.Duration, selector ...string) func(context.Context) (int, error) {
	return func(ctx context.Context) (n int, err error) {
		sel := a.selection(back, selector...)
		sel.Backward = false
		err = a.s.Times(ctx, sel, func(*sessionstore.Stream, int64) bool { n++; return true })
		return n, err
	}
}

func (a asker) volume(back time.Duration, selector ...string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		sel := a.selection(back, selector...)
		v, err := a.s.Volume(ctx, sel.Matchers, sel.Start, sel.End)
		return int(v.Entries), err
	}
}

func (a asker) streams(back time.Duration, selector ...string) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		sel := a.selection(back, selector...)
		streams, err := a.s.Streams(ctx, sel.Matchers, sel.Start, sel.End)
		return len(streams), err
	}
}

const dayLong = 24 * time.Hour

func (a asker) questions(group string, id string) []question {
	return []question{
		{"the newest 100 of all", a.newest(100, "", span)},
		{"the newest 100 exceptions of an app, 24 h", a.newest(100, "", dayLong, "kind=exception", "app=app-03")},
		{"the newest 1000 of a host, 7 d", a.newest(1000, "", 7*dayLong, "host=web-03")},
		{"the newest 100 exceptions with a text, one app, 24 h", a.newest(100, "TypeError7", dayLong, "kind=exception", "app=app-03")},
		{"exits of all apps as annotations, 7 d, at most 1000", a.newest(1000, "", 7*dayLong, "kind=exit")},
		{"changes of groups, 30 d", a.newest(1000, "", span, "kind=group")},
		{"exceptions of all apps counted, 24 h", a.counts(dayLong, "kind=exception")},
		{"exceptions of one app counted, 7 d", a.counts(7*dayLong, "kind=exception", "app=app-03")},
		{"exits of all apps counted, 7 d", a.counts(7*dayLong, "kind=exit")},
		{"all of one app counted, 24 h", a.counts(dayLong, "app=app-03")},
		{"everything counted, 24 h", a.counts(dayLong)},
		{"exceptions of all apps counted, 7 d", a.counts(7*dayLong, "kind=exception")},
		{"labels of everything, 30 d", a.streams(span)},
		{"labels of an app, 1 h", a.streams(time.Hour, "app=app-03")},
		{"volume of everything, 30 d", a.volume(span)},
		{"volume of an app, 24 h", a.volume(dayLong, "app=app-03")},
		{"list of groups", func(ctx context.Context) (int, error) {
			groups, err := a.s.Groups(ctx, sessionstore.GroupQuery{Limit: 100})
			return len(groups), err
		}},
		{"groups by state", func(ctx context.Context) (int, error) {
			states, err := a.s.GroupStates(ctx)
			return len(states), err
		}},
		{"hours of a group, 30 d", func(ctx context.Context) (int, error) {
			hours, err := a.s.GroupHours(ctx, group, a.w.end.Add(-span))
			return len(hours), err
		}},
		{"20 samples of a group", func(ctx context.Context) (int, error) {
			samples, err := a.s.GroupSamples(ctx, group, 20)
			return len(samples), err
		}},
		{"runs of an app, 24 h", func(ctx context.Context) (int, error) {
			runs, err := a.s.Runs(ctx, sessionstore.RunQuery{App: "app-03", PMID: -1, Since: a.w.end.Add(-dayLong), Limit: 100})
			return len(runs), err
		}},
		{"one record", func(ctx context.Context) (int, error) {
			_, _, err := a.s.Record(ctx, id)
			return 1, err
		}},
	}
}

// query asks everything some times and prints how long the first and the median
// took, and what all took of the CPU on average: on a machine with other work,
// that says how long they would take alone.
func query(ctx context.Context, s *sqlite.Store, w *workload) error {
	groups, err := s.Groups(ctx, sessionstore.GroupQuery{Limit: 1})
	if err != nil || len(groups) == 0 {
		return fmt.Errorf("no groups to ask for: %w", err)
	}
	samples, err := s.GroupSamples(ctx, groups[0].ID, 1)
	if err != nil || len(samples) == 0 {
		return fmt.Errorf("no samples to ask for: %w", err)
	}
	fmt.Printf("%-55s %9s %9s %9s %9s\n", "query", "rows", "first", "median", "CPU")
	for _, q := range (asker{s, w}).questions(groups[0].ID, samples[0].ID) {
		const times = 5
		var took [times]time.Duration
		var n int
		cpu := cpuTime()
		for i := range took {
			start := time.Now()
			if n, err = q.ask(ctx); err != nil {
				return fmt.Errorf("%s: %w", q.name, err)
			}
			took[i] = time.Since(start)
		}
		first := took[0]
		slices.Sort(took[:])
		fmt.Printf("%-55s %9d %7.1fms %7.1fms %7.1fms\n", q.name, n, ms(first), ms(took[times/2]), ms((cpuTime()-cpu)/times))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
