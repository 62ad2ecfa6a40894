package watch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
)

const (
	// shareFor is how long one list serves everybody who asks.
	shareFor = time.Second
	// resyncAfter bounds how long a change that PM2 does not announce goes
	// unseen: the deletion of an app that was stopped, and pm2 reset.
	resyncAfter = 2 * time.Minute
	// customEvery is how old values of @pm2/io may be; only the list has them.
	customEvery = 10 * time.Second
	// provenFor is how long a word of the daemon proves that it answers.
	provenFor = 5 * time.Second
)

// View is what a daemon looks like now. Its slices are not to be changed.
type View struct {
	Label   string
	Home    string
	Owner   string
	Up      bool
	Err     error // why it is not up
	Peer    discovery.Peer
	Version string
	// Processes is empty while the daemon is not up.
	Processes []ProcessView
	Stats     Stats
	Files     []AppFiles
	// Folders hold PM2's home and its apps' logs, where this host sees them.
	Folders []string
}

// ProcessView is one process of a View.
type ProcessView struct {
	*pm2.Process
	Key ledger.ProcKey
	// HostPID is the process id as this host sees it: 0 where the process
	// does not run, or lives in a pid namespace that we do not see.
	HostPID int
	// CronDue is when cron_restart was due next after the last start; zero
	// without one, and where that is not known.
	CronDue time.Time
}

// Want says what a caller of View needs fresh.
type Want struct {
	Custom bool // the values of @pm2/io
}

// View returns the present picture; where something changed, PM2 is asked
// first.
func (w *Watcher) View(ctx context.Context, want Want) View {
	late := w.refresh(ctx, want)
	if w.connectedNow() {
		w.lookAtFiles()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.opts.Candidate
	v := View{Label: c.Label, Home: c.Home, Owner: c.OwnerName, Up: w.rpc != nil, Err: w.lastErr, Stats: w.stats, Files: w.files.apps, Folders: w.files.folders}
	if w.opts.Recorder != nil {
		v.Stats.Unrecorded = w.opts.Recorder.Dropped()
	}
	if v.Up && late != nil {
		v.Up, v.Err = false, fmt.Errorf("PM2 did not answer in time: %w", late)
	}
	if !v.Up {
		return v
	}
	v.Peer, v.Version = w.peer, w.version
	v.Processes = make([]ProcessView, len(w.list))
	for i := range w.list {
		p := &w.list[i]
		pv := ProcessView{Process: p, Key: w.ledger.Key(p), CronDue: w.crons[p.PMID].due}
		if p.Running() {
			pv.HostPID = w.hostPID(p.PID)
		}
		v.Processes[i] = pv
	}
	return v
}

// connectedNow is false where nobody knows whose the daemon's files have to be.
func (w *Watcher) connectedNow() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rpc != nil
}

// Label is the daemon's name.
func (w *Watcher) Label() string { return w.opts.Candidate.Label }

// Ledger runs f with the ledger; f must be quick, PM2's messages wait.
func (w *Watcher) Ledger(f func(*ledger.Ledger)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f(w.ledger)
}

// refresh asks PM2 for its list where the one at hand does not do. Callers at
// the same time share one answer, and none waits longer than it has time: that
// is the error. The request goes on without them, for one who hangs up says
// nothing about PM2.
func (w *Watcher) refresh(ctx context.Context, want Want) error {
	select {
	case w.refreshing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	rpc, needList, needPing := w.needs(want)
	if rpc == nil || !needList && !needPing {
		<-w.refreshing
		return nil
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { <-w.refreshing }()
		w.ask(rpc, needList)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *Watcher) ask(rpc *pm2.RPC, needList bool) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	if !needList {
		w.answered(rpc, nil, rpc.Ping(ctx), false)
		return
	}
	list, err := rpc.List(ctx)
	w.answered(rpc, list, err, true)
}

func (w *Watcher) needs(want Want) (rpc *pm2.RPC, list, ping bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.rpc == nil {
		return nil, false, false
	}
	now := w.opts.Now()
	age := now.Sub(w.listedAt)
	list = age > resyncAfter || w.dirty && age > shareFor || want.Custom && w.hasCustom() && age > customEvery
	if list {
		w.dirty = false // whatever changes from here on is not in the answer
	}
	return w.rpc, list, now.Sub(w.heardAt) > provenFor
}

func (w *Watcher) answered(rpc *pm2.RPC, list []pm2.Process, err error, isList bool) {
	var pids map[int]int
	if isList && err == nil {
		w.mu.Lock()
		peer := w.peer
		w.mu.Unlock()
		pids = w.translate(list, peer)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stats.Requests++
	if err != nil {
		w.stats.RequestFailures++
		if errors.Is(err, pm2.ErrReply) {
			w.stats.DecodeErrors++
		}
		w.dirty = true
		if w.rpc == rpc {
			// The connection is closed; the session ends at its next tick.
			level.Warn(w.log).Log("msg", "PM2 did not answer", "err", err)
			w.rpc, w.lastErr, w.downAt = nil, fmt.Errorf("PM2 did not answer: %w", err), w.opts.Now()
		}
		return
	}
	w.heardAt = w.opts.Now()
	if isList && w.rpc == rpc {
		w.apply(list, pids)
	}
}

// apply takes a list. The lock is held.
func (w *Watcher) apply(list []pm2.Process, pids map[int]int) {
	now := w.opts.Now()
	w.list, w.listedAt, w.pids = list, now, pids
	w.ledger.Apply(list, now)
	w.classifier.Describe(list)
	w.schedule(list)
	if w.opts.Recorder != nil {
		w.opts.Recorder.List(list)
	}
}

// translate finds our process ids where PM2 lives in a container; nil says
// that they are the same.
func (w *Watcher) translate(list []pm2.Process, peer discovery.Peer) map[int]int {
	if peer.PID == 0 {
		return map[int]int{}
	}
	shared, err := procfs.SharesPIDNamespace(w.opts.ProcRoot, peer.PID)
	if err != nil || shared {
		return nil
	}
	var inside []int
	for i := range list {
		if list[i].Running() {
			inside = append(inside, list[i].PID)
		}
	}
	pids, err := procfs.HostPIDs(w.opts.ProcRoot, peer.PID, inside)
	if err != nil {
		return map[int]int{}
	}
	return pids
}

func (w *Watcher) hostPID(pid int) int {
	if w.pids == nil {
		return pid
	}
	return w.pids[pid]
}

func (w *Watcher) hasCustom() bool {
	for i := range w.list {
		if len(w.list[i].Metrics) > 0 {
			return true
		}
	}
	return false
}
