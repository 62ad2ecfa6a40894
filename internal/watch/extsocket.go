package watch

import (
	"context"
	"io"
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/procfs"
)

// strangerTimeout bounds how long a message waits for PM2 to say who sent it.
const strangerTimeout = time.Second

// ExtSocket is where processes report that have no way to PM2's bus: see
// package extsock.
type ExtSocket interface {
	Serve(hear func(pid int, conn io.Reader))
	Close()
}

// openExt makes the socket, if it is wanted and not there yet. Without one
// those processes are not heard, which is no fault.
func (w *Watcher) openExt() {
	if w.opts.ListenExt == nil || w.ext != nil {
		return
	}
	w.mu.Lock()
	uid := w.peer.UID
	w.mu.Unlock()
	socket, err := w.opts.ListenExt(uid)
	if err != nil {
		level.Debug(w.log).Log("msg", "There is no socket for apps that have no way to PM2's bus", "err", err)
		return
	}
	w.ext = socket
	go socket.Serve(w.hearExt)
}

func (w *Watcher) closeExt() {
	if w.ext != nil {
		w.ext.Close()
	}
}

// hearExt reads the messages of one connection. It always reads on: who sends
// must not wait for us.
func (w *Watcher) hearExt(pid int, conn io.Reader) {
	in := pm2.NewExtStream(conn)
	if w.opts.Recorder != nil {
		in.TakeBodies()
	}
	_ = in.Read(func(ev *pm2.Event) { w.extEvent(pid, ev) }, w.undecodable)
}

// extEvent takes a message of a process. Who it is PM2 tells, and the kernel
// that it runs where it says.
func (w *Watcher) extEvent(pid int, ev *pm2.Event) {
	known := w.identify(pid, ev)
	if !known { // it may be younger than the list
		w.mu.Lock()
		w.dirty = true
		w.mu.Unlock()
		ctx, cancel := context.WithTimeout(context.Background(), strangerTimeout)
		defer cancel()
		known = w.refresh(ctx, Want{}) == nil && w.identify(pid, ev)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !known {
		w.stats.Strangers++
		return
	}
	w.stats.Messages[ev.Kind]++
	w.count(ev)
}

// identify names the process that PM2 lists under the message's id, if the
// sender is that one or runs below it.
func (w *Watcher) identify(pid int, ev *pm2.Event) bool {
	listed := w.listed(ev)
	return listed > 0 && procfs.Descends(w.opts.ProcRoot, pid, listed)
}

func (w *Watcher) listed(ev *pm2.Event) (pid int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := range w.list {
		if p := &w.list[i]; p.PMID == ev.PMID && p.Running() {
			ev.Name, ev.Namespace = p.Name, p.Namespace
			return w.hostPID(p.PID)
		}
	}
	return 0
}
