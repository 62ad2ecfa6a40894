package watch

import (
	"bytes"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
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
	// quietAfter is when the file is read without an announcement.
	quietAfter = 2 * time.Second
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

// readGap reads what was logged while nobody listened to the bus.
func (w *Watcher) readGap(list []pm2.Process) {
	if w.resume != nil {
		pos := *w.resume
		w.resume = nil
		found, err := w.tail.Resume(pos)
		if err != nil || !found {
			w.gap(list)
			level.Warn(w.log).Log("msg", "The place in PM2's log where the agent stopped is gone; restarts since then count as unknown", "err", err)
			return
		}
	}
	w.openLog()
	w.readLog(nil, false)
}

// gap counts, from PM2's own counts of restarts, the ends that the log should
// have told.
func (w *Watcher) gap(list []pm2.Process) {
	w.stats.LogGaps++
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
		for range min(n, 1_000_000) {
			w.ledger.Exit(exits.Exit{Name: key.App, PMID: key.PMID, Reason: exits.Unknown, Code: -1, At: w.opts.Now()}, w.opts.Now())
		}
	})
}

// readLog hands the lines of the log to the classifier: up to and including
// the message until, or, where that is nil, all there are.
func (w *Watcher) readLog(until []byte, live bool) {
	for {
		line, err := w.tail.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				level.Debug(w.log).Log("msg", "Reading PM2's log failed", "err", err)
			}
			return
		}
		message, _ := daemonlog.Message(line)
		found := until != nil && bytes.Equal(message, until)
		w.shown(message)
		w.classifier.Line(daemonlog.ParseFile(line, time.Local), live)
		if found {
			return
		}
		if until == nil {
			w.ahead.push(message)
		}
	}
}

// shown strikes a line of the file off those that are waited for. Those
// announced before it will not come any more: they are taken from the bus.
func (w *Watcher) shown(message []byte) {
	for i := range w.unread {
		if bytes.Equal(w.unread[i].text, message) {
			earlier := w.unread[:i]
			w.unread = w.unread[i+1:]
			w.fromBus(earlier)
			return
		}
	}
}

func (w *Watcher) fromBus(lines []busLine) {
	for _, l := range lines {
		w.classifier.Line(daemonlog.Parse(l.text), true)
	}
}

// announced takes a line of the log from the bus and reads the file up to it,
// unless it was read already.
func (w *Watcher) announced(text []byte, now time.Time) {
	last := bytes.TrimRight(text, "\r\n")
	if i := bytes.LastIndexByte(last, '\n'); i >= 0 {
		last = last[i+1:]
	}
	if w.ahead.pop(last) {
		return
	}
	if len(w.unread) == maxUnread {
		w.fromBus(w.unread)
		w.unread = nil
	}
	w.unread = append(w.unread, busLine{bytes.Clone(last), now})
	w.readLog(last, true)
}

// overdue reads the file where the bus is silent, and takes from the bus what
// the file does not show: PM2 may log elsewhere, as pm2-runtime does.
func (w *Watcher) overdue(now time.Time) {
	if len(w.unread) == 0 {
		if now.Sub(w.heardAt) > quietAfter {
			w.openLog()
			w.readLog(nil, true)
		}
		return
	}
	if now.Sub(w.unread[0].at) < overdueAfter {
		return
	}
	w.openLog()
	w.readLog(w.unread[len(w.unread)-1].text, true)
	n := 0
	for n < len(w.unread) && now.Sub(w.unread[n].at) >= overdueAfter {
		n++
	}
	late := w.unread[:n]
	w.unread = w.unread[n:]
	w.fromBus(late)
}

// lookahead remembers, by hash, the lines that were read before the bus
// announced them.
type lookahead struct {
	seed   maphash.Seed
	hashes []uint64
}

const maxAhead = 20_000

func (a *lookahead) push(message []byte) {
	if len(a.hashes) == maxAhead {
		a.hashes = a.hashes[1:]
	}
	a.hashes = append(a.hashes, maphash.Bytes(a.seed, message))
}

// pop is true when message was pushed; what was pushed before it is dropped,
// because the bus keeps the order.
func (a *lookahead) pop(message []byte) bool {
	if len(a.hashes) == 0 {
		return false
	}
	h := maphash.Bytes(a.seed, message)
	for i := range a.hashes {
		if a.hashes[i] == h {
			a.hashes = a.hashes[i+1:]
			return true
		}
	}
	return false
}
