package ledger

import (
	"slices"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// maxEpochs bounds the lives of a process whose exceptions may still be told
// of by the other side.
const maxEpochs = maxLives

// reloadSlack is by how much a process may have started before PM2 says that
// it is online, where the one before it has not ended.
const reloadSlack = 30 * time.Second

// epoch counts the exceptions of one life that nobody caught, as both sides
// tell of them: PM2, which says not which life it was, and pm25-ext. Each has
// most of them and neither has all, so the larger count is the better one,
// whoever comes first.
type epoch struct {
	From    int64  `json:"from"`   // when it began at the earliest, milliseconds since 1970
	Online  bool   `json:"online"` // its process was started
	Lives   int    `json:"lives"`  // processes that report
	PM2     uint64 `json:"pm2"`
	Ext     uint64 `json:"ext"`
	Counted uint64 `json:"counted"`
}

// epochOf returns the epoch of a process that reports for the first time.
func (x *extProc) epochOf(start int64, retired bool) int64 {
	x.firstEpoch()
	i := len(x.epochs) - 1
	if retired && i > 0 {
		i--
	}
	for i > 0 && x.epochs[i].From > start {
		i--
	}
	if x.epochs[i].Lives > 0 { // another process's
		i++
		x.epochs = slices.Insert(x.epochs, i, epoch{From: max(start, x.epochs[i-1].From+1), Online: i < len(x.epochs)})
	}
	x.epochs[i].Lives++
	from := x.epochs[i].From
	x.trimEpochs()
	return from
}

func (x *extProc) firstEpoch() {
	if len(x.epochs) == 0 {
		x.epochs = append(x.epochs, epoch{Online: true})
	}
}

func (x *extProc) trimEpochs() {
	if n := len(x.epochs) - maxEpochs; n > 0 {
		x.epochs = slices.Delete(x.epochs, 0, n)
	}
}

// lifecycle notes where one life ends and the next begins.
func (x *extProc) lifecycle(ev *pm2.Event, now time.Time) {
	if ev.Retired || len(x.epochs) == 0 {
		return
	}
	at := ev.At
	if at.IsZero() {
		at = now
	}
	last := &x.epochs[len(x.epochs)-1]
	switch {
	case ev.Lifecycle == "exit" && ev.Status != pm2.StatusStopping:
		x.epochs = append(x.epochs, epoch{From: max(at.UnixMilli(), last.From+1)})
	case ev.Lifecycle == "online" && !last.Online:
		last.Online = true
	case ev.Lifecycle == "online" && x.reports(ev, last): // PM2 looks for its repository before it says so
	case ev.Lifecycle == "online": // a reload: the one before lives on for a moment
		x.epochs = append(x.epochs, epoch{From: max(at.Add(-reloadSlack).UnixMilli(), last.From+1), Online: true})
	}
	x.trimEpochs()
}

// reports is true where the process that PM2 says is online has reported
// already, in that epoch.
func (x *extProc) reports(ev *pm2.Event, e *epoch) bool {
	if ev.Life == nil || ev.Life.StartedAt.IsZero() {
		return false
	}
	for k, lf := range x.lives {
		if lf.epoch == e.From && k.start >= ev.Life.StartedAt.UnixMilli() {
			return true
		}
	}
	return false
}

// reported counts an exception that PM2 reported. Of a worker PM2 may say that
// it has ended before it says of what: nothing is thrown by one that has not
// begun.
func (x *extProc) reported(app *App, retired bool) {
	x.firstEpoch()
	i := len(x.epochs) - 1
	begun := x.epochs[i].Online || x.epochs[i].Lives > 0
	if (retired || !begun) && i > 0 {
		i--
	}
	x.epochs[i].PM2++
	x.epochs[i].settle(app)
}

// uncaught counts exceptions that pm25-ext reported of a life.
func (x *extProc) uncaught(app *App, from int64, n uint64) {
	if n == 0 {
		return
	}
	for i := range x.epochs {
		if e := &x.epochs[i]; e.From == from {
			e.Ext += n
			e.settle(app)
		}
	}
}

func (e *epoch) settle(app *App) {
	if total := max(e.PM2, e.Ext); total > e.Counted {
		app.Exceptions[1] += total - e.Counted
		e.Counted = total
	}
}
