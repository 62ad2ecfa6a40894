package recorder

import (
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/record"
)

// What one process may tell of in a minute, as pm25-ext keeps to.
const (
	maxEvents = 60
	maxSlow   = 120
)

// custom records an event of an app's own.
func (c *core) custom(ev *pm2.Event, now time.Time) {
	e := ev.Custom
	p := c.procOf(ev)
	if e.Name == "" || !p.events.take(maxEvents, now) {
		c.dropped.events.Add(1)
		return
	}
	at := when(ev.At, now)
	if !e.At.IsZero() {
		at = when(e.At, now)
	}
	r := c.head(record.Event, p, p.at(ev.Retired), at)
	r.Event, r.Truncated = &record.EventInfo{Name: e.Name, Data: e.Data}, e.Cut
	if ev.Kind == pm2.EventExtEvent {
		r.Source = record.FromExt
		if record.ValidID(e.ID) {
			r.ID = e.ID
		}
		if r.Started == 0 {
			r.PID, r.Started = e.PID, e.Start
		}
	}
	c.emit(r)
}

// slow records slow and failed requests. Their ids are those of the exemplars.
func (c *core) slow(ev *pm2.Event, it *item) {
	p := c.procOf(ev)
	for i := range it.slow {
		s := &it.slow[i]
		if !p.slow.take(maxSlow, it.at) {
			c.dropped.events.Add(uint64(len(it.slow) - i))
			return
		}
		r := c.head(record.SlowRequest, p, p.at(ev.Retired), when(time.UnixMilli(s.At), it.at))
		r.Source = record.FromExt
		if r.Started == 0 {
			r.PID, r.Started = it.from.pid, it.from.start
		}
		r.Request = &record.RequestInfo{
			Method: record.CleanName(s.Method), Route: record.CleanName(s.Route), Code: s.Status, Seconds: s.Seconds, Aborted: s.Aborted, Target: s.Target,
		}
		if s.Aborted || s.Status >= 500 {
			r.Level = record.LevelWarn
		}
		if record.ValidID(s.ID) {
			r.ID = s.ID
		}
		c.emit(r)
	}
}
