package watch

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/cron"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

// resurrected is by when PM2 has registered, after its own start, the cron
// jobs of the processes that it does not start.
const resurrected = time.Minute

// cronJob is when a process is due next, and what that was made of.
type cronJob struct {
	name, expression string
	registered       time.Time
	due              time.Time // zero where that is never, or not known
}

// cronZone is the time zone that PM2's clock goes by; nil where it is unknown.
func (w *Watcher) cronZone() *time.Location { return w.peer.Zone }

// logZone is the same for PM2's log, with the best guess where it is unknown.
func (w *Watcher) logZone() *time.Location {
	if w.peer.Zone == nil {
		return time.Local
	}
	return w.peer.Zone
}

// begun notes when the daemon started. It is called without the lock, before
// the list of that daemon.
func (w *Watcher) begun(peer discovery.Peer) time.Time {
	if peer.PID <= 0 {
		return time.Time{}
	}
	s, err := w.opts.Proc.Read(peer.PID, time.Time{}, time.Time{})
	if err != nil || s.StartTicks != peer.StartTicks {
		return time.Time{}
	}
	return s.StartTime
}

// schedule finds out when the processes of a list are due by their
// cron_restart. The lock is held.
func (w *Watcher) schedule(list []pm2.Process) {
	zone, jobs := w.cronZone(), make(map[int]cronJob, len(w.crons))
	for i := range list {
		p := &list[i]
		if p.CronRestart == "" || p.StartedAt.IsZero() || zone == nil {
			continue
		}
		registered := p.StartedAt
		// A new daemon registers the jobs of stopped processes without a start.
		if w.beganAt.After(registered) {
			registered = w.beganAt.Add(resurrected)
		}
		job := cronJob{name: p.Name, expression: p.CronRestart, registered: registered.In(zone)}
		before, ok := w.crons[p.PMID]
		if ok && before.name == job.name && before.expression == job.expression && before.registered.Equal(job.registered) {
			jobs[p.PMID] = before
			continue
		}
		parsed, err := cron.Parse(job.expression, job.registered)
		if err == nil {
			job.due, _ = parsed.Next(job.registered)
		} else if before.expression != job.expression {
			// The expression itself may hold anything, and is not logged.
			level.Debug(w.log).Log("msg", "A cron_restart is not understood; nobody will notice when it is missed", "app", p.Name, "pm_id", p.PMID, "err", err)
		}
		jobs[p.PMID] = job
	}
	w.crons = jobs
}
