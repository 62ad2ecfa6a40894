// Package sqlite keeps records, exception groups, runs, hosts and buckets in one
// SQLite file.
//
// It guarantees that what Push has acknowledged is on the disk, once, through
// kill -9, power loss and a full disk; that a Push is stored whole or not at
// all; and that the counts of groups and the records they come from are written
// in one transaction. Readers do not wait for writers, nor writers for readers.
// It does not check records (record.Check does), and knows no HTTP.
//
// Several processes may open the same file; each sees what another changed
// within a second or so.
package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// Options of a store. Path is needed.
type Options struct {
	Path      string        // of the file; made with its folder where there is none
	Retention time.Duration // of records, by their time; 0 is DefaultRetention
	MaxBytes  int64         // of the file, without what is in the WAL (32 MiB, about); 0 is no bound
	MinFree   int64         // of the file system; with less Push fails with ErrFull. 0: take all
	Logger    *slog.Logger  // nil: none
	Now       func() time.Time
}

// Defaults and bounds.
const (
	DefaultRetention = 30 * 24 * time.Hour

	readers     = 4        // connections that read at once
	maxQueue    = 128      // writers that wait
	maxWaiting  = 64 << 20 // bytes of records that wait
	maxCommit   = 4000     // records of one commit, about
	maxStreams  = 100_000  // streams; records of further ones go into (other)
	maxGroups   = 10_000   // groups in memory
	maxRuns     = 50_000   // rows of runs in memory
	maxMetadata = 100_000  // parts of metadata in memory
	maxReleases = 500      // of one app
	maxHosts    = 200      // of one group
	maxAgents   = 10_000   // of one bucket
)

// Store is a file with records in it. All methods may be called at once.
type Store struct {
	o       Options
	log     *slog.Logger
	codec   *codec
	streams streamTable
	pairs   pairTable
	tokens  tokenTable
	tell    subscribers

	queue   chan *job
	waiting atomic.Int64  // bytes
	dropped atomic.Uint64 // records
	sweeps  sweeps
	w       *conn       // the writer's own
	state   writerState // the writer's own
	pool    chan *conn  // of readers
	closed  chan struct{}
	closing sync.Once
	ended   chan struct{}
}

// Open opens or makes the file. It fails with sessionstore.ErrNewer where a
// newer version has written it, and leaves it as it is.
func Open(o Options) (*Store, error) {
	s, err := openWithRoom(o)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", o.Path, wrap(err))
	}
	return s, nil
}

func open(o Options) (*Store, error) {
	if err := o.fill(); err != nil {
		return nil, err
	}
	if err := prepare(o.Path); err != nil {
		return nil, err
	}
	s := &Store{
		o: o, log: o.Logger, queue: make(chan *job, maxQueue), pool: make(chan *conn, readers),
		closed: make(chan struct{}), ended: make(chan struct{}),
	}
	var err error
	if s.codec, err = newCodec(); err != nil {
		return nil, err
	}
	if s.w, err = dial(o.Path, "_auto_vacuum=INCREMENTAL", "_journal_mode=WAL", "_synchronous=FULL", "_txlock=immediate",
		"_pragma=wal_autocheckpoint(8000)", "_pragma=journal_size_limit(67108864)", "_pragma=cache_size(-32768)", "_pragma=temp_store(2)"); err != nil {
		return nil, err
	}
	err = migrate(s.w)
	if err == nil {
		err = s.reload()
	}
	for range readers {
		var c *conn
		if err == nil {
			c, err = dial(o.Path, "_query_only=1", "_pragma=cache_size(-8192)", "_pragma=temp_store(2)")
		}
		if err == nil {
			s.pool <- c
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.closeConns())
	}
	go s.write()
	return s, nil
}

func (o *Options) fill() (err error) {
	if o.Path == "" {
		return errors.New("path is missing")
	}
	if o.Path, err = filepath.Abs(o.Path); err != nil {
		return err
	}
	if o.Retention < 0 || o.MaxBytes < 0 || o.MinFree < 0 {
		return errors.New("retention or a bound of size is negative")
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// prepare makes folder and file, for their owner alone: stacks and logs are
// nobody else's business. SQLite gives the files beside it the same mode.
func prepare(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	if err := look(path); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = f.Chmod(info.Mode().Perm() &^ 0o077)
	}
	return errors.Join(err, f.Close())
}

// Size is how many bytes the store has on disk.
func (s *Store) Size() (bytes int64) {
	for _, suffix := range []string{"", "-wal"} {
		if info, err := os.Stat(s.o.Path + suffix); err == nil {
			bytes += info.Size()
		}
	}
	return bytes
}

// Close ends the store after what it has accepted is written. Calls that come
// later fail.
func (s *Store) Close() error {
	var err error
	s.closing.Do(func() {
		close(s.closed)
		<-s.ended
		err = s.closeConns()
	})
	return err
}

func (s *Store) closeConns() error {
	var errs []error
	for range readers {
		select {
		case c := <-s.pool:
			errs = append(errs, c.close())
		case <-time.After(closeWait): // a reader that does not end; the writer's close is what matters
		}
	}
	s.codec.close()
	if s.w != nil {
		errs = append(errs, s.w.close())
		s.w = nil
	}
	return errors.Join(errs...)
}

var errClosed = fmt.Errorf("the store is closed: %w", fs.ErrClosed)
