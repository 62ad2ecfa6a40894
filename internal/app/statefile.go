package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/watch"
)

const (
	stateName    = "state.json"
	stateVersion = 2 // since reports are counted: an older agent would forget what was counted of them
	stateFormat  = "pm25-agent state"
	maxState     = 256 << 20
)

// stateDoc is the state file. It is written at an orderly shutdown and taken
// away at the next start: an old one must never be used twice, because a
// counter that steps back to anything but a fresh start is counted again.
type stateDoc struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Written time.Time     `json:"written"`
	Daemons []watch.State `json:"daemons"`
}

// stateFile holds the state's folder for one agent at a time.
type stateFile struct {
	dir      string
	lock     *os.File
	log      log.Logger
	failures atomic.Uint64
}

// openState creates and locks the folder.
func openState(dir string, logger log.Logger) (*stateFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("state folder: %w; name another one with --state.dir", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state folder: %w; name another one with --state.dir", err)
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("state folder %s is in use by another pm25-agent: stop that one, or name another folder with --state.dir", dir)
	}
	return &stateFile{dir: dir, lock: lock, log: logger}, nil
}

func (s *stateFile) close() { _ = s.lock.Close() }

func (s *stateFile) path() string { return filepath.Join(s.dir, stateName) }

// read returns the state by daemon. What can not be read is set aside; only a
// state of a newer version is an error, and stays as it is.
func (s *stateFile) read() (map[string]*watch.State, error) {
	info, err := os.Stat(s.path())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var doc stateDoc
	var data []byte
	if err == nil && info.Size() > maxState {
		err = fmt.Errorf("it has %d bytes, at most %d are taken", info.Size(), maxState)
	}
	if err == nil {
		data, err = os.ReadFile(s.path())
	}
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if doc.Format == stateFormat && doc.Version > stateVersion {
		return nil, fmt.Errorf("state file %s was written by a newer pm25-agent (version %d of the format; this one knows %d): run that agent, or move the file away to begin at 0", s.path(), doc.Version, stateVersion)
	}
	if err == nil && doc.Format != stateFormat {
		err = errors.New("it is not a state file of pm25-agent")
	}
	if err != nil {
		s.setAside(err)
		return nil, nil
	}
	states := map[string]*watch.State{}
	for i := range doc.Daemons {
		states[doc.Daemons[i].Label] = &doc.Daemons[i]
	}
	return states, nil
}

func (s *stateFile) setAside(why error) {
	s.failures.Add(1)
	bad := s.path() + ".bad"
	err := os.Rename(s.path(), bad)
	level.Error(s.log).Log("msg", "The state file can not be used; counters begin at 0", "file", s.path(), "err", why, "kept_as", bad, "rename_err", err)
}

// consume removes the state once it is in use.
func (s *stateFile) consume() error {
	err := os.Remove(s.path())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the state file, which must not be used twice: %w", err)
	}
	if err := syncDir(s.dir); err != nil {
		level.Warn(s.log).Log("msg", "Can not sync the state folder", "err", err)
	}
	return nil
}

// write replaces the state, so that a crash leaves the old one, the new one or
// none, never half of one.
func (s *stateFile) write(states []watch.State, now time.Time) error {
	err := s.replace(stateDoc{Format: stateFormat, Version: stateVersion, Written: now, Daemons: states})
	if err != nil {
		s.failures.Add(1)
		return fmt.Errorf("writing the state file: %w", err)
	}
	return nil
}

func (s *stateFile) replace(doc stateDoc) error {
	data, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(s.dir, stateName+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Sync(), tmp.Close())
	if err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), s.path()); err != nil {
		return err
	}
	return syncDir(s.dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
