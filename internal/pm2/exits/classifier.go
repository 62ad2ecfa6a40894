// Package exits tells why each process under a PM2 daemon ended.
//
// PM2 does not say it in one place. It logs that it is about to stop a
// process and, before that, often why; it logs each end with code and signal;
// only its bus carries the exceptions, and nothing tells an operator's
// restart from cron's but the clock. Classifier puts these together.
//
// It guarantees one Exit for each end in the log, those of a process in order
// and before it runs again, and that what cannot be told is Unknown and never
// Crash. It is pure: it reads no file and no clock but the one it is given.
package exits

import (
	"slices"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
)

// Exit is one end of one process.
type Exit struct {
	Name   string // safe as a label value
	PMID   int
	Reason Reason
	// Code is the exit code, or 128 plus the number of the signal, as shells
	// count. It is -1 where it is not known.
	Code int
	At   time.Time

	Signal  string // that ended it, "" where PM2 names none
	Retired bool   // outgoing worker of a reload
	// Logged is when PM2 logged it, and Mark which line of the log did: both are
	// the same when that is read again. They are zero for an end without a line.
	Logged time.Time
	Mark   [10]byte
}

// Verdict answers a question that may have no answer.
type Verdict int

// The verdicts.
const (
	CannotTell Verdict = iota
	No
	Yes
)

// Options connect a Classifier to its surroundings. All are required.
type Options struct {
	Emit func(Exit)
	Now  func() time.Time
	// OOMKilled says whether the kernel's out-of-memory killer struck lately.
	// live is as in Line.
	OOMKilled func(live bool) Verdict
	// Outlives returns, for a process of a daemon that is gone, how to ask
	// whether that very process still lives; nil says that it does not.
	Outlives func(pmID int) (still func() bool)
	// Zone is the time zone of the daemon; nil where it is not known.
	Zone func() *time.Location
}

// orphanFor is how long a process may take to notice that its daemon is gone.
// One that lives longer does not depend on it, as programs other than Node.js.
const orphanFor = 10 * time.Second

// exceptionWindow is how long before its end an exception explains it.
const exceptionWindow = 5 * time.Second

// crashCode is what a worker that throws ends with. PM2 sees only that its
// channel closed.
const crashCode = 1

// watchWindow is how long after a file changed a restart is due to it.
const watchWindow = time.Minute

// Process is what the classifier knows of a process that runs.
type Process struct {
	Name    string `json:"name"`
	PMID    int    `json:"pm_id"`
	Retired bool   `json:"retired,omitempty"`
	Cluster bool   `json:"cluster,omitempty"`
	Cron    string `json:"cron,omitempty"`
	Planned Reason `json:"planned,omitempty"` // set once PM2 said that it stops the process
	Memory  bool   `json:"memory,omitempty"`  // over its memory limit
}

type key struct {
	pmID    int
	retired bool
}

// slot is what is remembered of one process id.
type slot struct {
	Process
	running   bool
	listed    time.Time // start of a life known from PM2's list: its line may still come
	reloading bool
	cronOff   bool // its cron job was taken off just now
	thrown    time.Time
}

// Classifier follows one daemon. It is not safe for concurrent use.
type Classifier struct {
	opts    Options
	slots   map[key]*slot
	changed map[string]watchMark // by app name
	crons   map[int]cronJob      // by pm_id, of the last list
	pending []pending
	orphans []orphan
	daemons int // that began to write the log
}

// orphan is a process that lived on when its daemon was gone.
type orphan struct {
	exit  Exit
	still func() bool
	until time.Time
}

type watchMark struct {
	at   time.Time
	done map[key]bool
}

// New returns a Classifier that knows no process.
func New(opts Options) *Classifier {
	return &Classifier{opts: opts, slots: map[key]*slot{}, changed: map[string]watchMark{}}
}

// Restore sets the processes that ran when the log was last read.
func (c *Classifier) Restore(running []Process) {
	for _, p := range running {
		c.slots[key{p.PMID, p.Retired}] = &slot{Process: p, running: true}
	}
}

// Running lists the processes that run, for Restore.
func (c *Classifier) Running() []Process {
	var out []Process
	for _, s := range c.slots {
		if s.running {
			out = append(out, s.Process)
		}
	}
	return out
}

// Exception notes that a process threw.
func (c *Classifier) Exception(pmID int) {
	if c.threwBefore(pmID) {
		return
	}
	if s, ok := c.slots[key{pmID: pmID}]; ok {
		s.thrown = c.opts.Now()
	}
}

// Lifecycle takes a process:event of the bus, which follows the line it
// belongs to.
func (c *Classifier) Lifecycle(event, status string, pmID int) {
	i := c.lastOf(pmID)
	switch {
	case event == "online":
		c.succeeded(pmID)
	case i < 0 || !c.pending[i].mayBeGivenUp:
	case event == "restart overlimit", event == "exit" && status == pm2.StatusErrored:
		c.gaveUp(i)
	case event == "exit":
		c.pending[i].mayBeGivenUp = false
		c.advance()
	}
}

// Settle gives out ends that waited for more than a second for more words, and
// those of orphans.
func (c *Classifier) Settle() {
	c.advance()
	now := c.opts.Now()
	c.orphans = slices.DeleteFunc(c.orphans, func(o orphan) bool {
		if o.still() {
			return now.After(o.until)
		}
		c.opts.Emit(o.exit)
		return true
	})
}

// Daemons is how many daemons have begun to write the log that was read.
func (c *Classifier) Daemons() int { return c.daemons }

// DaemonGone tells that the daemon, and with it every process whose end it
// did not log, is no more.
func (c *Classifier) DaemonGone(at time.Time) { c.gone(at, daemonlog.Line{}) }

// gone is DaemonGone where the line of another daemon tells of it.
func (c *Classifier) gone(at time.Time, l daemonlog.Line) {
	c.Flush()
	for k, s := range c.slots {
		if !s.running {
			continue
		}
		exit := Exit{Name: s.Name, PMID: k.pmID, Reason: Unknown, Code: -1, At: at, Retired: k.retired, Logged: l.At, Mark: l.Mark}
		if still := c.opts.Outlives(k.pmID); still != nil {
			c.orphans = append(c.orphans, orphan{exit, still, c.opts.Now().Add(orphanFor)})
		} else {
			c.opts.Emit(exit)
		}
	}
	clear(c.slots)
}

// Line takes the next line of PM2's log. live says that the bus was followed
// up to this line, so that an exception would have been seen.
func (c *Classifier) Line(l daemonlog.Line, live bool) {
	at := l.At
	if live || at.IsZero() {
		at = c.opts.Now()
	}
	if l.Kind == daemonlog.GaveUp {
		c.gaveUp(len(c.pending) - 1) // of the line before
		return
	}
	c.otherLine()
	k := key{l.ID, l.Retired}
	switch l.Kind {
	case daemonlog.Starting:
		c.starting(k, l, at)
	case daemonlog.MemoryLimit:
		c.slot(k, "").Memory = true
	case daemonlog.Reloading:
		c.slot(k, "").reloading = true
	case daemonlog.CronRemoved:
		c.slot(k, "").cronOff = true
	case daemonlog.FileChanged:
		c.fileChanged(pm2.SafeName(l.Name), at)
	case daemonlog.Stopping:
		s := c.slot(k, pm2.SafeName(l.Name))
		s.Planned = c.whyStopped(k, s, at)
	case daemonlog.Exited:
		c.exited(k, l, at, live)
	case daemonlog.DaemonStarted:
		c.daemons++
		c.gone(at, l)
	}
}

// fileChanged notes why an app is about to be stopped. Each of its processes
// watches, and those that notice the change later have nothing left to do.
func (c *Classifier) fileChanged(name string, at time.Time) {
	for _, s := range c.slots {
		if s.Name == name && s.Planned == Watch {
			return
		}
	}
	c.changed[name] = watchMark{at: at, done: map[key]bool{}}
}

// begunAt is true when a line of a start at that time is that of the life which
// PM2's list had told of already. The log has whole seconds.
func (s *slot) begunAt(at time.Time) bool {
	return !s.listed.IsZero() && at.Sub(s.listed).Abs() <= 2*time.Second
}

// starting begins a life. Where the id still runs, a reload retires that one.
func (c *Classifier) starting(k key, l daemonlog.Line, at time.Time) {
	if old, ok := c.slots[k]; ok && old.running && !old.begunAt(at) {
		old.Retired = true
		c.slots[key{k.pmID, true}] = old
	}
	s := &slot{Process: Process{Name: pm2.SafeName(l.Name), PMID: k.pmID, Cluster: l.Cluster}, running: true}
	if before, ok := c.slots[k]; ok {
		s.Cron = before.Cron
		s.Name = sameName(before.Name, s.Name)
	}
	if job := c.crons[k.pmID]; job.name == s.Name {
		s.Cron = job.expression
	}
	c.slots[k] = s
}

// whyStopped tells why PM2 stops a process, from what it said before.
func (c *Classifier) whyStopped(k key, s *slot, at time.Time) Reason {
	mark, watched := c.changed[s.Name]
	switch {
	case s.Memory:
		return MemoryLimit
	case watched && !mark.done[k] && at.Sub(mark.at) <= watchWindow:
		mark.done[k] = true
		return Watch
	case s.reloading || k.retired:
		return Reload
	case s.cronOff && due(s.Cron, c.local(at)):
		return Cron
	}
	return Operator
}

func (c *Classifier) exited(k key, l daemonlog.Line, at time.Time, live bool) {
	s := c.slot(k, pm2.SafeName(l.Name))
	exit := Exit{Name: s.Name, PMID: k.pmID, Code: exitCode(l), At: at, Retired: k.retired, Logged: l.At, Mark: l.Mark}
	if l.Signal != "SIGINT" {
		exit.Signal = l.Signal
	}
	planned := s.Planned
	if planned == "" && k.retired {
		// It left by itself when told that its successor listens.
		planned = c.whyStopped(k, s, at)
	}
	thrown := !s.thrown.IsZero() && at.Sub(s.thrown) <= exceptionWindow
	s.running, s.listed, s.Planned, s.Memory, s.reloading, s.cronOff, s.thrown = false, time.Time{}, "", false, false, false, time.Time{}
	if k.retired {
		delete(c.slots, k)
	}
	if planned != "" {
		exit.Reason = planned
		c.end(exit, false, false)
		return
	}
	exit.Reason = c.unplanned(l, s.Cluster, thrown, live)
	if exit.Reason == Crash && exit.Code == 0 {
		exit.Code = crashCode
	}
	if exit.Reason == Unknown && exit.Code == 0 {
		exit.Code = -1
	}
	c.end(exit, true, live && s.Cluster && exit.Reason == Clean)
}

// unplanned tells why a process ended that PM2 did not stop.
func (c *Classifier) unplanned(l daemonlog.Line, cluster, thrown, live bool) Reason {
	switch {
	case l.Code != 0:
		return Crash
	case l.Signal == "SIGKILL":
		switch c.opts.OOMKilled(live) {
		case Yes:
			return OOMKill
		case No:
			return Signal
		default:
			return Unknown
		}
	case raisedByItself(l.Signal):
		return Crash
	case l.Signal != "SIGINT": // PM2 says SIGINT where there was no signal
		return Signal
	case !cluster:
		return Clean
	case thrown:
		return Crash
	case live:
		return Clean
	default:
		return Unknown
	}
}

// slot returns what is known of k; name completes it.
func (c *Classifier) slot(k key, name string) *slot {
	s, ok := c.slots[k]
	if !ok {
		s = &slot{Process: Process{PMID: k.pmID, Retired: k.retired}}
		c.slots[k] = s
	}
	if name != "" {
		s.Name = sameName(s.Name, name)
	}
	return s
}
