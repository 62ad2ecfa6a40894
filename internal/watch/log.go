package watch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/safefile"
)

const (
	// overdueAfter is when a line that the bus announced is no longer waited
	// for in the file: PM2 writes it in the same turn of its loop.
	overdueAfter = time.Second
	// quietTicks is for how many ticks something has to wait in the file before
	// it is read without an announcement: the bus may be about to tell more.
	quietTicks = 2
	maxUnread  = 1000
)

// logDir opens PM2's log under the rules for files that others can name.
type logDir struct{ w *Watcher }

func (d logDir) Open(name string) (*os.File, error) {
	c := d.w.opts.Candidate
	f, _, err := safefile.Open(c.Root, path.Join(c.Home, name), d.w.peer.UID, 0)
	return f, err
}

func (d logDir) Stat(name string) (fs.FileInfo, error) {
	c := d.w.opts.Candidate
	return safefile.Stat(c.Root, path.Join(c.Home, name), d.w.peer.UID)
}

func (d logDir) Names() ([]string, error) {
	f, err := os.Open(d.w.opts.Candidate.Path(""))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(1000)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// openLog begins the log at its end, if it is there.
func (w *Watcher) openLog() {
	if w.tail.Opened() {
		return
	}
	if err := w.tail.SeekEnd(); err != nil && !errors.Is(err, fs.ErrNotExist) {
		level.Debug(w.log).Log("msg", "PM2's log can not be read; its bus has to do", "err", err)
	}
}

// openLogEarly begins the log before the bus is connected to, so that all that
// the bus announces comes after the place where reading begins.
func (w *Watcher) openLogEarly() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.tail.Opened() || w.resume != nil || w.unplaced || w.opts.Candidate.OwnerUID < 0 {
		return
	}
	if w.listedAt.IsZero() {
		w.peer.UID = w.opts.Candidate.OwnerUID
	}
	w.openLog()
}

// placeLog finds the place to read on from after nobody listened to the bus.
func (w *Watcher) placeLog(list []pm2.Process) {
	if w.resume != nil || w.unplaced {
		pos := w.resume
		w.resume, w.unplaced = nil, false
		found, err := false, error(nil)
		if pos != nil {
			found, err = w.tail.Resume(*pos)
		}
		if err != nil || !found {
			w.openLog()
			if w.retelling { // nobody has counted either
				level.Warn(w.log).Log("msg", "There is no place in PM2's log to go on from; ends since the agent was killed are not recorded", "err", err)
				return
			}
			w.gap(list)
			level.Warn(w.log).Log("msg", "There is no place in PM2's log to go on from; restarts since the agent stopped count as unknown", "err", err)
			return
		}
	}
	w.openLog()
}

// gap counts, from PM2's own counts of restarts, the ends that the log should
// have told.
func (w *Watcher) gap(list []pm2.Process) {
	w.stats.LogGaps++
	w.classifier.Gap()
	now := make(map[ledger.ProcKey]*pm2.Process, len(list))
	for i := range list {
		now[w.ledger.Key(&list[i])] = &list[i]
	}
	w.ledger.Lost(func(key ledger.ProcKey) (int64, string, bool) {
		p, ok := now[key]
		if !ok {
			return 0, "", false
		}
		return p.Restarts, p.UniqueID, true
	}, func(key ledger.ProcKey, n uint64) {
		w.ended(exits.Exit{Name: key.App, PMID: key.PMID, Reason: exits.Unknown, Code: -1, At: w.opts.Now()}, n)
	})
}

// logSource is where the lines of PM2's log come from. It is one or the other
// for the whole life of a daemon: the two are never mixed, because equal lines
// could not be told from the same line seen twice.
type logSource int

const (
	// sourceUnknown until a line was announced, or seen in the file.
	sourceUnknown logSource = iota
	// sourceFile: PM2 writes to pm2.log, and the bus says when to read.
	sourceFile
	// sourceBus: PM2 writes elsewhere, as pm2-runtime does.
	sourceBus
)

// readLog hands the lines of the log to the classifier: up to and including
// the message until, or all there are.
func (w *Watcher) readLog(until []byte, live bool) (found bool) {
	found, _ = w.readLines(until, live, math.MaxInt)
	return found
}

// readGap reads what was logged while nobody was connected, in portions, so
// that the bus is drained meanwhile.
func (w *Watcher) readGap(ctx context.Context) {
	for more := true; more && ctx.Err() == nil; {
		w.mu.Lock()
		_, more = w.readLines(nil, false, 1000)
		w.mu.Unlock()
	}
}

// readLines is readLog for at most limit lines; more is true where there may
// be more.
func (w *Watcher) readLines(until []byte, live bool, limit int) (found, more bool) {
	if w.source == sourceBus {
		return false, false
	}
	for range limit {
		line, err := w.tail.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				level.Debug(w.log).Log("msg", "Reading PM2's log failed", "err", err)
			}
			return false, false
		}
		message, before := daemonlog.Message(line)
		if before != nil && w.source == sourceUnknown {
			w.source, w.unread = sourceFile, nil // the file has them
		}
		parsed := daemonlog.ParseFile(line, w.logZone())
		if parsed.Kind == daemonlog.Exited || parsed.Kind == daemonlog.DaemonStarted {
			parsed.Mark = w.tail.Mark(line)
		}
		w.classifier.Line(parsed, live)
		if until != nil && bytes.Equal(message, until) {
			return true, true
		}
	}
	return false, true
}

// announced takes a line of the log from the bus and reads the file up to it.
func (w *Watcher) announced(text []byte, now time.Time) {
	if w.catching {
		if len(w.early) < maxUnread {
			w.early = append(w.early, bytes.Clone(text))
		}
		return
	}
	last := bytes.TrimRight(text, "\r\n")
	if i := bytes.LastIndexByte(last, '\n'); i >= 0 {
		last = last[i+1:]
	}
	if w.source == sourceBus {
		w.classifier.Line(daemonlog.Parse(last), true)
		return
	}
	line := bytes.Clone(last)
	if w.readLog(line, true) {
		return
	}
	// PM2 announces a line a moment before it writes it.
	w.awaited = line
	if w.source == sourceUnknown {
		w.unread = append(w.unread, busLine{line, now})
		if len(w.unread) == maxUnread {
			w.useBus()
		}
	}
}

// catchLine reads the line that was announced last: it is in the file by the
// time that PM2 says anything else.
func (w *Watcher) catchLine() {
	if w.awaited != nil {
		w.readLog(w.awaited, true)
		w.awaited = nil
	}
}

// overdue reads the file where the bus is silent, and settles where the log
// comes from.
func (w *Watcher) overdue(now time.Time) {
	if w.source == sourceBus {
		return
	}
	if len(w.unread) > 0 && now.Sub(w.unread[0].at) >= overdueAfter {
		w.openLog()
		if w.readLog(nil, true); w.source == sourceUnknown {
			w.useBus()
		}
		return
	}
	w.openLog()
	place, waiting := w.tail.Waiting()
	if !waiting || place != w.waitingAt {
		w.waitingAt, w.waited = place, 0
	}
	if waiting {
		w.waited++
	}
	if w.waited > quietTicks {
		w.readLog(nil, true)
	}
}

// useBus takes the log from the bus from now on, beginning with what the file
// should have shown.
func (w *Watcher) useBus() {
	level.Info(w.log).Log("msg", "PM2 does not write to its log file; its bus has to do")
	w.source = sourceBus
	w.tail.Close() // its place would be taken for how far we are
	for _, l := range w.unread {
		w.classifier.Line(daemonlog.Parse(l.text), true)
	}
	w.unread = nil
}
