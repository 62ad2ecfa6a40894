package watch

import (
	"context"
	"net"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
)

// Dial connects to the daemon: see discovery.Dial.
type Dial func(ctx context.Context) (rpc, pub net.Conn, peer discovery.Peer, err error)

// OOMCounter reads the kernel's count of out-of-memory kills.
type OOMCounter interface {
	Read() (value uint64, source string, err error)
}

// Options of a Watcher. All but State, Place, Limits, ListenExt and
// Recorder are required.
type Options struct {
	Candidate discovery.Candidate
	Dial      Dial
	// OOM returns the counter that covers a daemon's apps.
	OOM func(peer discovery.Peer) OOMCounter
	// Proc looks processes up, without their descendants.
	Proc     procfs.Source
	ProcRoot string
	BootID   string
	Logger   log.Logger
	Now      func() time.Time
	State    *State // of the last orderly shutdown, nil if there is none
	// Place is how far a Watcher that left no State had read the log, nil where
	// nobody knows. Ends from there on are recorded, and not counted.
	Place  *daemonlog.Position
	Limits ledger.Limits // zero values are the defaults
	// ListenExt makes the socket for processes without a way to PM2\'s bus, of
	// the daemon\'s user; nil for none.
	ListenExt func(uid int) (ExtSocket, error)
	// Recorder is told of everything; without one, nil, what messages say is not
	// read.
	Recorder Recorder
}
