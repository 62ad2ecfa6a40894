package app

import (
	"context"
	"net"
	"sort"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/exporter"
	"github.com/pm25/pm25/internal/extsock"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/recorder"
	"github.com/pm25/pm25/internal/watch"
)

// keepStateFor is how long the state of a daemon that does not come back is
// kept, as long as that of a deleted app.
const keepStateFor = 7 * 24 * time.Hour

// findEvery is how often daemons are looked for.
const findEvery = 15 * time.Second

// daemonSet keeps one watcher for each daemon that discovery lists.
type daemonSet struct {
	finder   *discovery.Finder
	proc     procfs.Source
	procRoot string
	bootID   string
	log      log.Logger
	now      func() time.Time
	yield    func(discovery.Candidate) bool // may be nil
	claims   *claims                        // may be nil
	limits   ledger.Limits

	recorders *recorders                    // nil: nothing is recorded
	places    *places                       // likewise
	placed    map[string]daemonlog.Position // where a killed agent was

	mu       sync.Mutex
	running  map[string]*watched // by label
	restored map[string]*watch.State
	used     bool          // some state was taken up
	looked   bool          // the first pass is done
	found    chan struct{} // closed after it
	wg       sync.WaitGroup
}

type watched struct {
	*watch.Watcher
	candidate discovery.Candidate
	cancel    context.CancelFunc
	ended     chan struct{}
	unclaim   func()             // nil while it is not claimed
	recorder  *recorder.Recorder // nil for none
	contested bool               // another has claimed it
}

// run looks for daemons until ctx is done and then stops all watchers.
func (s *daemonSet) run(ctx context.Context) {
	ticker := time.NewTicker(findEvery)
	defer ticker.Stop()
	for {
		s.find(ctx)
		s.notePlaces()
		select {
		case <-ctx.Done():
			s.wg.Wait()
			return
		case <-ticker.C:
		}
	}
}

func (s *daemonSet) find(ctx context.Context) {
	found, err := s.finder.Find(ctx)
	if err != nil && ctx.Err() == nil {
		level.Debug(s.log).Log("msg", "Looking for PM2 daemons", "err", err)
	}
	left := s.leftToOthers(found)
	s.mu.Lock()
	defer s.mu.Unlock()
	listed := map[string]bool{}
	for _, c := range found {
		listed[c.Label] = true
		w, ok := s.running[c.Label]
		if left[c.Label] {
			if ok {
				s.keep(w)
				delete(s.running, c.Label)
			}
			continue
		}
		if ok && w.candidate.Root == c.Root && w.candidate.Home == c.Home {
			s.claims.take(w)
			continue
		}
		if ok { // the same daemon by name, in a new container or under a new pid
			s.keep(w)
		}
		s.start(ctx, c)
	}
	for label, w := range s.running {
		if !listed[label] {
			level.Info(s.log).Log("msg", "PM2 daemon is forgotten", "daemon", label)
			w.end()
			s.wg.Go(func() { <-w.ended; w.recorded() })
			delete(s.running, label)
		}
	}
	if !s.looked {
		s.looked = true
		close(s.found)
	}
}

// notePlaces remembers how far PM2's logs were read.
func (s *daemonSet) notePlaces() {
	if s.places == nil {
		return
	}
	s.mu.Lock()
	read := map[string]daemonlog.Position{}
	for label, w := range s.running {
		if pos, ok := w.Place(); ok {
			read[label] = pos
		}
	}
	s.mu.Unlock()
	s.places.note(s.now(), read)
}

// leftToOthers lists the labels of the daemons that other programs watch.
func (s *daemonSet) leftToOthers(found []discovery.Candidate) map[string]bool {
	left := map[string]bool{}
	for _, c := range found {
		left[c.Label] = s.yield != nil && s.yield(c)
	}
	return left
}

func (s *daemonSet) start(ctx context.Context, c discovery.Candidate) {
	state := s.restored[c.Label]
	delete(s.restored, c.Label)
	s.used = s.used || state != nil && !s.looked
	ctx, cancel := context.WithCancel(ctx)
	policy := s.finder.Policy()
	rec := s.recorders.start(c)
	o := watch.Options{
		Candidate: c,
		Dial: func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error) {
			return discovery.Dial(ctx, c, policy)
		},
		OOM:    s.oomCounter,
		Proc:   s.proc,
		BootID: s.bootID, ProcRoot: s.procRoot, Logger: s.log, Now: s.now, State: state, Limits: s.limits,
		ListenExt: func(uid int) (watch.ExtSocket, error) {
			return extsock.Listen(extsock.Options{Root: c.Root, Home: c.Home, UID: uid})
		},
	}
	if rec != nil {
		o.Recorder = rec
	}
	if pos, ok := s.placed[c.Label]; ok && state == nil {
		o.Place = &pos
	}
	delete(s.placed, c.Label)
	w := watch.New(o)
	w.Ledger(func(l *ledger.Ledger) { tellVersions(rec, l) })
	ended := make(chan struct{})
	started := &watched{Watcher: w, candidate: c, cancel: cancel, ended: ended, recorder: rec}
	s.running[c.Label] = started
	s.claims.take(started)
	s.wg.Go(func() {
		defer close(ended)
		w.Run(ctx)
	})
}

// keep ends a watcher; what it knew goes to the one that follows.
func (s *daemonSet) keep(w *watched) {
	w.end()
	<-w.ended
	state := w.Save()
	w.recorded()
	if s.restored == nil {
		s.restored = map[string]*watch.State{}
	}
	s.restored[w.candidate.Label] = &state
}

// end stops watching and gives up the claim, without waiting.
func (w *watched) end() {
	if w.unclaim != nil {
		w.unclaim()
	}
	w.cancel()
}

func (s *daemonSet) oomCounter(peer discovery.Peer) watch.OOMCounter {
	c, err := procfs.NewOOMCounter(procfs.OOMOptions{PID: max(peer.PID, 1), ProcRoot: s.procRoot})
	if err != nil {
		return noOOMCounter{err}
	}
	return c
}

type noOOMCounter struct{ err error }

func (n noOOMCounter) Read() (uint64, string, error) { return 0, "", n.err }

// daemons lists the watchers for the exporter.
func (s *daemonSet) daemons() []exporter.Daemon {
	s.mu.Lock()
	defer s.mu.Unlock()
	names := make([]string, 0, len(s.running))
	for label := range s.running {
		names = append(names, label)
	}
	sort.Strings(names)
	out := make([]exporter.Daemon, len(names))
	for i, label := range names {
		out[i] = s.running[label]
	}
	return out
}

// save returns the state of all daemons, those included that never came back.
func (s *daemonSet) save() []watch.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	var states []watch.State
	for _, w := range s.running {
		states = append(states, w.Save())
		w.recorded()
	}
	for _, state := range s.restored {
		if s.now().Sub(state.Saved) < keepStateFor {
			states = append(states, *state)
		}
	}
	return states
}

// settle waits until every daemon found at first was tried, or ctx is done, so
// that a first scrape does not call down what is up.
func (s *daemonSet) settle(ctx context.Context) {
	select {
	case <-s.found:
	case <-ctx.Done():
	}
	s.mu.Lock()
	var all []*watched
	for _, w := range s.running {
		all = append(all, w)
	}
	s.mu.Unlock()
	for _, w := range all {
		select {
		case <-w.Tried():
		case <-ctx.Done():
		}
	}
}

func (s *daemonSet) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.looked
}

func (s *daemonSet) restoredAny() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used
}
