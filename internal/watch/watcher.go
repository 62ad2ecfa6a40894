// Package watch follows one PM2 daemon: it holds the connections, reads what
// happens, and keeps the ledger of it.
//
// Ends of processes are read from PM2's log file, where each has one line,
// and by its offset, so that nothing is counted twice or lost whatever
// happens to the connection or to the agent in between. The bus says when to
// read on and adds what the log does not hold. The list of processes is asked
// for when it is wanted and something changed.
//
// The package guarantees that the bus is always drained, that PM2 is asked
// for its list at most once a second and never without a deadline, and that a
// daemon which is gone is looked for again every 5 s at most.
package watch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/pm2/exits"
)

const (
	backoffMin = 100 * time.Millisecond
	backoffMax = 5 * time.Second
	// callTimeout bounds a request where the caller sets no shorter time. A
	// daemon with 500 processes takes about 40 ms.
	callTimeout = 10 * time.Second
	// tickEvery paces what no event triggers.
	tickEvery = time.Second
	// neglectedAfter is when the list is asked for though nobody scrapes.
	neglectedAfter = 5 * time.Minute
	recordedAfter  = 2 * time.Second // likewise, where something changed and records are made of it
)

// Watcher follows one daemon. Its methods are safe for concurrent use.
type Watcher struct {
	opts Options
	log  log.Logger

	ext        ExtSocket     // nil while there is none; Run's alone
	refreshing chan struct{} // full while a request is under way: one at a time

	mu         sync.Mutex
	ledger     *ledger.Ledger
	classifier *exits.Classifier
	tail       *daemonlog.Tail
	resume     *daemonlog.Position // where to take up the log, until that is done
	unplaced   bool                // there is a state, but no place in a log to take up
	retelling  bool                // what is read was before this watcher's time: it is recorded only
	oom        oomWatch
	stats      Stats

	tried     chan struct{} // closed after the first attempt to connect
	rpc       *pm2.RPC      // nil while not connected
	working   bool          // a session came about
	peer      discovery.Peer
	version   string
	lastErr   error
	downAt    time.Time // since when it is not connected
	buried    bool      // the ends of a dead daemon's processes were counted
	daemons   int       // that had begun to write the log when the connection was made
	list      []pm2.Process
	pids      map[int]int // from PM2's process ids to ours, nil where they are the same
	listedAt  time.Time
	dirty     bool
	heardAt   time.Time // last message or answer
	source    logSource
	awaited   []byte    // the line that the bus announced last
	catching  bool      // the log of the time without a connection is still being read
	early     [][]byte  // what the bus announced meanwhile
	unread    []busLine // announced while the source is not known
	waitingAt int64     // where something unread was in the log at the last tick
	waited    int       // for how many ticks
	files     fileFacts
	beganAt   time.Time       // start of the daemon, zero where it is not known
	crons     map[int]cronJob // by pm_id, of the list
}

// busLine is a line of PM2's log that the bus announced and the file has not
// shown yet.
type busLine struct {
	text []byte
	at   time.Time
}

// Stats counts the watcher's own work.
type Stats struct {
	Messages                  [14]uint64 // by pm2.EventKind
	DecodeErrors              uint64
	Requests, RequestFailures uint64
	Connects, ConnectFailures uint64
	LogGaps                   uint64
	Strangers                 uint64    // messages on the socket of pm25-ext whose sender is not who it says
	Unrecorded                [4]uint64 // see Recorder.Dropped
}

// New returns a Watcher; Run makes it work.
func New(o Options) *Watcher {
	w := &Watcher{opts: o, tried: make(chan struct{}), refreshing: make(chan struct{}, 1), log: log.With(o.Logger, "daemon", o.Candidate.Label), downAt: o.Now()}
	w.ledger = ledger.New(o.Now())
	w.classifier = exits.New(exits.Options{Emit: w.exit, Now: o.Now, OOMKilled: w.oomKilled, Outlives: w.outlives, Zone: w.cronZone})
	w.tail = daemonlog.NewTail(logDir{w})
	if o.State != nil {
		w.restore(o.State)
	} else if o.Place != nil && o.Recorder != nil {
		w.resume, w.retelling = o.Place, true
	}
	w.ledger.Limit(o.Limits)
	return w
}

// Run follows the daemon until ctx is done.
func (w *Watcher) Run(ctx context.Context) {
	backoff := backoffMin
	first := sync.OnceFunc(func() { close(w.tried) })
	defer first()
	defer w.closeExt()
	for ctx.Err() == nil {
		err := w.session(ctx, first)
		first()
		if ctx.Err() != nil {
			return
		}
		if w.disconnected(err) {
			backoff = backoffMin // it had worked
		}
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(backoff*3/2, backoffMax)
		w.bury()
	}
}

// Tried is closed once the first attempt to connect ended, well or not.
func (w *Watcher) Tried() <-chan struct{} { return w.tried }

// session connects, calls connected, and works until the connection is lost.
func (w *Watcher) session(ctx context.Context, connected func()) error {
	dialCtx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	w.openLogEarly()
	rpcConn, pubConn, peer, err := w.opts.Dial(dialCtx)
	if err != nil {
		return err
	}
	defer pubConn.Close()
	rpc := pm2.NewRPC(rpcConn)
	defer rpc.Close()

	var busErr error
	ended := make(chan struct{})
	w.catch(true)
	go func() {
		defer close(ended)
		bus := pm2.NewBus(pubConn)
		if w.opts.Recorder != nil {
			bus.TakeBodies(w.opts.Now)
		}
		busErr = bus.Read(w.event, w.undecodable)
	}()
	version, err := rpc.Version(dialCtx)
	if err == nil {
		err = w.catchUp(dialCtx, rpc, peer)
	}
	if err != nil {
		_ = pubConn.Close()
		<-ended
		return err
	}
	w.connected(rpc, peer, version)
	connected()
	w.catch(false)
	w.openExt()
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			_ = pubConn.Close()
			<-ended
			return ctx.Err()
		case <-ended:
			return fmt.Errorf("PM2's bus ended: %w", busErr)
		case <-ticker.C:
			if w.tick() {
				_ = w.refresh(ctx, Want{})
			}
			if w.broken() {
				_ = pubConn.Close()
				<-ended
				return errors.New("PM2 did not answer")
			}
		}
	}
}

// catch begins and ends the time in which lines that the bus announces wait
// for the log of the time before.
func (w *Watcher) catch(begin bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	early := w.early
	w.catching, w.early = begin, nil
	if !begin {
		for _, text := range early {
			w.announced(text, w.opts.Now())
		}
	}
}

// catchUp reads what PM2 logged while nobody was connected, and its list.
func (w *Watcher) catchUp(ctx context.Context, rpc *pm2.RPC, peer discovery.Peer) error {
	began := w.begun(peer)
	w.mu.Lock()
	w.unplaced = w.unplaced || w.source == sourceBus // which says nothing of the time in between
	if w.peer.PID != peer.PID || w.peer.StartTicks != peer.StartTicks {
		w.source, w.unread = sourceUnknown, nil // another daemon may log elsewhere
	}
	w.peer, w.beganAt, w.crons = peer, began, nil // whose files may be read
	first := w.resume == nil && !w.unplaced && !w.tail.Opened()
	w.mu.Unlock()
	if !first {
		hints, err := rpc.List(ctx)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.ledger.Hint(hints, w.opts.Now())
		w.classifier.Describe(hints)
		if w.opts.Recorder != nil {
			w.opts.Recorder.Names(hints)
		}
		w.placeLog(hints)
		w.mu.Unlock()
		w.readGap(ctx)
	} else {
		w.mu.Lock()
		w.openLog()
		w.mu.Unlock()
	}
	list, err := rpc.List(ctx)
	if err != nil {
		return err
	}
	pids := w.translate(list, peer)
	defer w.lookAtFiles()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.retelling {
		w.classifier.Flush()
		w.retelling = false
	}
	w.oom.begin(w.opts.OOM(peer), w.opts.BootID, w.opts.Now())
	w.apply(list, pids)
	w.classifier.Know(list)
	return nil
}

func (w *Watcher) connected(rpc *pm2.RPC, peer discovery.Peer, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rpc, w.peer, w.version, w.lastErr, w.buried, w.working = rpc, peer, version, nil, false, true
	w.heardAt = w.opts.Now()
	w.daemons = w.classifier.Daemons()
	w.stats.Connects++
	level.Info(w.log).Log("msg", "Connected to PM2", "version", version, "pid", peer.PID, "home", w.opts.Candidate.Home, "processes", len(w.list))
}

// disconnected ends a session, or notes that none came about; it is true for
// the former. The same failure is logged once, not at every attempt.
func (w *Watcher) disconnected(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	had := w.working
	if had {
		w.readLog(nil, false)
		if len(w.unread) > 0 {
			w.useBus() // it is gone before the second was over
		}
		w.downAt = w.opts.Now()
		level.Warn(w.log).Log("msg", "Lost the connection to PM2", "err", err)
	} else {
		w.stats.ConnectFailures++
		if w.lastErr == nil || w.lastErr.Error() != err.Error() {
			level.Warn(w.log).Log("msg", "Can not connect to PM2", "err", err)
		}
	}
	w.rpc, w.working, w.lastErr, w.awaited = nil, false, err, nil
	w.dirty = true
	return had
}

// bury counts the ends of the processes of a daemon that died without a word.
// Its apps may take a moment to notice.
func (w *Watcher) bury() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.classifier.Settle()
	if w.peer.PID <= 0 {
		return // out of our sight: its log or its successor will tell
	}
	if w.buried || w.rpc != nil || w.listedAt.IsZero() || w.opts.Now().Sub(w.downAt) < 2*time.Second || w.alive(w.peer.PID, w.peer.StartTicks) {
		return
	}
	w.readLog(nil, false)
	// Where a new daemon has begun to write, its first line has told of the old
	// one's end, and what runs now runs under the new one.
	if w.classifier.Daemons() == w.daemons {
		w.classifier.DaemonGone(w.downAt)
	}
	w.buried = true
}

// tick does what no event triggers. It is true when nobody asked for the list
// for long: without one nothing that is gone is ever forgotten, or recorded.
func (w *Watcher) tick() (neglected bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.opts.Now()
	w.oom.sample(now)
	w.overdue(now)
	w.classifier.Settle()
	age := now.Sub(w.listedAt)
	return age > neglectedAfter || w.opts.Recorder != nil && w.dirty && age > recordedAfter
}

// broken is true once a request failed, which closes its connection.
func (w *Watcher) broken() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rpc == nil
}

// alive is true while the process that was seen under pid lives.
func (w *Watcher) alive(pid int, startTicks uint64) bool {
	if pid <= 0 {
		return false
	}
	s, err := w.opts.Proc.Read(pid, time.Time{}, time.Time{})
	return err == nil && s.StartTicks == startTicks
}

// outlives returns how to ask whether a process of the last list still lives,
// nil if it does not. It goes by the process, not by its number.
func (w *Watcher) outlives(pmID int) (still func() bool) {
	for i := range w.list {
		p := &w.list[i]
		if p.PMID != pmID || !p.Running() {
			continue
		}
		pid := w.hostPID(p.PID)
		s, err := w.opts.Proc.Read(pid, p.StartedAt.Add(-StartEarly), p.StartedAt.Add(StartLate))
		if err != nil {
			return nil
		}
		return func() bool { return w.alive(pid, s.StartTicks) }
	}
	return nil
}

// A process starts just after the time that PM2 notes for it; clocks and busy
// hosts need some room.
const (
	StartEarly = 3 * time.Second
	StartLate  = 30 * time.Second
)
