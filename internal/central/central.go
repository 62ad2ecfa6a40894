// Package central is the central half: the store of records with what answers for
// it over HTTP, alone as `pm25 server` (Program) or inside `pm25 up` (Central).
package central

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/server"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

const (
	// StoreFile is the path of the store below the data folder.
	StoreFile = "store/records.db"
	// LocalBucket is where the agent of the same process puts its records.
	LocalBucket = "local"

	sweepEvery   = 10 * time.Minute
	minRetention = time.Hour
	minMaxBytes  = 16 << 20
)

// Options of a Central.
type Options struct {
	DataDir     string        // the store is below it
	Retention   time.Duration // --store.retention.time
	MaxBytes    int64         // --store.retention.size; 0: any
	MinFree     int64         // bytes of the file system that records leave to others; 0: none
	Limits      server.Limits
	ForgetAfter time.Duration
	Gate        *access.Gate

	Registry prometheus.Registerer
	Logger   *slog.Logger
	Now      func() time.Time
}

// Validate tells which flag is out of range.
func (o Options) Validate() error {
	switch {
	case o.Retention < minRetention:
		return fmt.Errorf("--store.retention.time is %s: it has to be 1h or more", o.Retention)
	case o.MaxBytes < 0 || o.MaxBytes > 0 && o.MaxBytes < minMaxBytes:
		return fmt.Errorf("--store.retention.size is %d bytes: it has to be 16MiB or more, or 0 for any", o.MaxBytes)
	}
	return nil
}

// Central is the store and its handlers.
type Central struct {
	opts     Options
	store    *sqlite.Store
	pusher   pusher // the store, for Local
	server   *server.Server
	loki     *lokiapi.API
	failures *prometheus.CounterVec
	dropped  *prometheus.CounterVec
}

// pusher takes records.
type pusher interface {
	Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error)
}

// Open opens or makes the store. Close has to follow.
func Open(o Options) (*Central, error) {
	if o.Gate == nil || o.Registry == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("central: an option is missing")
	}
	if err := o.Validate(); err != nil {
		return nil, err
	}
	c := &Central{opts: o, failures: counters(catalog.ServerStoreFailures), dropped: counters(catalog.ServerLocalDropped)}
	for _, operation := range catalog.StoreOperations() {
		c.failures.WithLabelValues(operation)
	}
	for _, kind := range catalog.RecordKinds() {
		c.dropped.WithLabelValues(kind)
	}
	if err := errors.Join(o.Registry.Register(c.failures), o.Registry.Register(c.dropped)); err != nil {
		return nil, err
	}
	var err error
	c.store, err = sqlite.Open(sqlite.Options{
		Path: filepath.Join(o.DataDir, StoreFile), Retention: o.Retention, MaxBytes: o.MaxBytes, MinFree: o.MinFree, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	c.pusher = c.store
	if err := c.serve(); err != nil {
		return nil, errors.Join(err, c.store.Close())
	}
	return c, nil
}

func (c *Central) serve() (err error) {
	c.loki, err = lokiapi.New(lokiapi.Options{Source: c.store, Logger: c.opts.Logger, Now: c.opts.Now, Version: version.Version})
	if err != nil {
		return err
	}
	if err := c.opts.Registry.Register(&statsCollector{loki: c.loki.Stats, deleted: c.store.Dropped}); err != nil {
		return err
	}
	c.server, err = server.New(server.Options{
		Store: c.store, Loki: c.loki.Handler(), Changing: c.opts.Gate.Changing, Who: access.Who, Limits: c.opts.Limits,
		ForgetAfter: c.opts.ForgetAfter, Registry: c.opts.Registry, Logger: c.opts.Logger, Now: c.opts.Now,
	})
	return err
}

// Handler serves what server.Serves names.
func (c *Central) Handler() http.Handler { return c.server.Handler() }

// Targets lists the agents that push, in the form of Prometheus' http_sd.
func (c *Central) Targets() http.Handler { return c.server.Targets() }

// Store is where the records are.
func (c *Central) Store() *sqlite.Store { return c.store }

// Run removes what is too old or too much, until ctx is done.
func (c *Central) Run(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		if err := c.store.Sweep(ctx); err != nil && ctx.Err() == nil {
			c.failures.WithLabelValues("sweep").Inc()
			c.opts.Logger.Error("Removing what is too old from the store failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// EndTails ends the live tails, of which an HTTP server that shuts down knows
// nothing.
func (c *Central) EndTails() { c.loki.Close() }

// Close ends the store.
func (c *Central) Close() error {
	c.EndTails()
	return c.store.Close()
}

func counters(name string) *prometheus.CounterVec {
	m, _ := catalog.Lookup(name)
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: m.Help}, m.LabelNames())
}

// OpenStore opens the store of a data folder for a single task. It makes none.
func OpenStore(dataDir string) (*sqlite.Store, error) {
	path := filepath.Join(dataDir, StoreFile)
	switch _, err := os.Stat(path); {
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("the store below %s belongs to another user: run this as the one that the server runs as (%w)", dataDir, err)
	case err != nil:
		return nil, fmt.Errorf("there is no store below %s: name the server's folder with --data.dir (%w)", dataDir, err)
	}
	return sqlite.Open(sqlite.Options{Path: path})
}
