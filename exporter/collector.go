package exporter

import (
	"context"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/watch"
)

// Collector measures one subject. It is named as the flag --collector.<name>
// and the group in the catalog.
type Collector interface {
	Name() string
	// Collect adds what is to be said of in to out. What it can not measure
	// it leaves out; an error means that something is wrong with the
	// collector's source as a whole.
	Collect(ctx context.Context, in *Input, out *Sink) error
}

// Daemon is one PM2 daemon under watch: see watch.Watcher.
type Daemon interface {
	Label() string
	View(ctx context.Context, want watch.Want) watch.View
	Ledger(f func(*ledger.Ledger))
}

// Input is the picture that all collectors of one scrape share.
type Input struct {
	Daemons []DaemonView
}

// DaemonView is one daemon and what it looked like at the scrape.
type DaemonView struct {
	watch.View
	Daemon Daemon
	// Stuck says that there was no view in time; its ledger is not to be had
	// either.
	Stuck bool
}

// ledger runs f with the daemon's counters, where they can be had.
func (d *DaemonView) ledger(f func(*ledger.Ledger)) {
	if !d.Stuck {
		d.Daemon.Ledger(f)
	}
}

// procLabelKey names a process over all daemons.
type procLabelKey struct {
	daemon string
	ledger.ProcKey
}

type appLabelKey struct {
	daemon string
	ledger.AppKey
}
