package ledger

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// ExtState is what one of PM2's process ids has reported.
type ExtState struct {
	PMID int `json:"pm_id"`
	AppKey
	Seen   time.Time    `json:"seen"`
	Node   NodeCounters `json:"node"`
	Epochs []epoch      `json:"epochs,omitempty"`
	Lives  []LifeState  `json:"lives,omitempty"`
}

// LifeState is a process and how much of its counts is accounted for.
type LifeState struct {
	PID        int             `json:"pid"`
	Start      int64           `json:"start"`
	App        AppKey          `json:"app"`
	Seen       time.Time       `json:"seen"`
	Whole      bool            `json:"whole"`
	Collapsed  counter         `json:"collapsed"`
	Exceptions [4]counter      `json:"exceptions"`
	Epoch      int64           `json:"epoch"`
	HasRuntime bool            `json:"has_runtime"`
	GC         [4]pm2.GC       `json:"gc"`
	Loop       [2]float64      `json:"loop"`
	Series     []BaselineState `json:"series,omitempty"`
}

// BaselineState is what was counted of a series of one process.
type BaselineState struct {
	SeriesKey
	Histogram
	// Folded says that it counts in (other).
	Folded bool `json:"folded,omitempty"`
}

func (l *Ledger) saveExt() []ExtState {
	var out []ExtState
	for id, x := range l.ext {
		s := ExtState{PMID: id, AppKey: x.app, Seen: x.seen, Node: x.node, Epochs: x.epochs}
		for k, lf := range x.lives {
			v := LifeState{
				PID: k.pid, Start: k.start, App: lf.app, Seen: lf.seen, Whole: lf.whole, Collapsed: lf.collapsed,
				Exceptions: lf.exceptions, Epoch: lf.epoch, HasRuntime: lf.hasRuntime, GC: lf.gc, Loop: lf.loop,
			}
			for key, b := range lf.series {
				v.Series = append(v.Series, BaselineState{key, b.Histogram, b.into.SeriesKey != key})
			}
			s.Lives = append(s.Lives, v)
		}
		out = append(out, s)
	}
	return out
}

func (l *Ledger) restoreExt(s *ExtState) {
	x := &extProc{app: s.AppKey, seen: s.Seen, lives: map[lifeKey]*life{}, node: s.Node, epochs: s.Epochs}
	l.ext[s.PMID] = x
	for _, v := range s.Lives {
		lf := &life{
			app: v.App, seen: v.Seen, whole: v.Whole, series: map[SeriesKey]*baseline{}, collapsed: v.Collapsed,
			exceptions: v.Exceptions, epoch: v.Epoch, hasRuntime: v.HasRuntime, gc: v.GC, loop: v.Loop, runtime: pm2.NoRuntime(),
		}
		x.lives[lifeKey{v.PID, v.Start}] = lf
		_, app := l.admit(v.App, v.Seen)
		for _, b := range v.Series {
			key := b.SeriesKey
			if b.Folded {
				key = key.folded()
			}
			lf.series[b.SeriesKey] = &baseline{b.Histogram, l.openSeries(app, key, v.Seen)}
			l.charge(x, lf, baseCells+len(b.Native))
		}
	}
}
