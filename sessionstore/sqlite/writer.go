package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

// job is something to do in the writer's transaction. do may run again, in
// another transaction, if the first was rolled back.
type job struct {
	do      func(t *tx) error
	shared  bool // with other jobs, in one transaction
	records int
	done    chan error // capacity 1
}

// writerState is what only the writer's goroutine uses.
type writerState struct {
	seq         int64 // of the last record
	gone        bool  // whether gone has rows
	dataVersion int64 // changes when another process writes
	groups      map[groupKey]*group
	apps        map[appKey]*app
	runs        map[runKey]int64 // rows of runs
	metadata    map[string]known
}

// foreignInterval is how often the writer looks for what another process wrote.
const foreignInterval = time.Second

// reload forgets what is known of the file, and reads anew what has to be in
// memory.
func (s *Store) reload() error {
	byKey, err := readStreams(s.w)
	if err != nil {
		return err
	}
	tokens, err := readTokens(s.w)
	if err != nil {
		return err
	}
	if s.state.seq, err = s.w.number("SELECT max(seq) FROM records"); err != nil {
		return err
	}
	gone, err := s.w.number("SELECT EXISTS (SELECT 1 FROM gone)")
	if err != nil {
		return err
	}
	if s.state.dataVersion, err = s.w.number("PRAGMA data_version"); err != nil {
		return err
	}
	s.state.gone = gone != 0
	s.streams.replace(byKey)
	s.tokens.replace(tokens)
	s.forget()
	return nil
}

// forget drops what can be read again, group by group.
func (s *Store) forget() {
	s.state.groups, s.state.apps, s.state.runs = map[groupKey]*group{}, map[appKey]*app{}, map[runKey]int64{}
	s.state.metadata = map[string]known{}
}

// foreign reads anew if another process has written.
func (s *Store) foreign() error {
	version, err := s.w.number("PRAGMA data_version")
	if err != nil || version == s.state.dataVersion {
		return err
	}
	return s.reload()
}

// write runs all jobs, one transaction after another. While one is synced to
// the disk the next jobs gather, and share the next.
func (s *Store) write() {
	defer close(s.ended)
	tick := time.NewTicker(foreignInterval)
	defer tick.Stop()
	for {
		select {
		case j := <-s.queue:
			s.commit(j)
		case <-tick.C:
			if err := s.foreign(); err != nil {
				s.log.Warn("Could not look for changes of other processes", "err", err)
			}
		case <-s.closed:
			s.drain()
			return
		}
	}
}

func (s *Store) drain() {
	for {
		select {
		case j := <-s.queue:
			s.commit(j)
		default:
			return
		}
	}
}

// commit runs j, and with it those that wait and may share its transaction.
func (s *Store) commit(j *job) {
	jobs, records := []*job{j}, j.records
	var alone *job
	for j.shared && alone == nil && records < maxCommit {
		select {
		case next := <-s.queue:
			if !next.shared {
				alone = next
				continue
			}
			jobs, records = append(jobs, next), records+next.records
			continue
		default:
		}
		break
	}
	s.attempt(jobs)
	if alone != nil {
		s.attempt([]*job{alone})
	}
}

// attempt runs jobs in one transaction; if it fails, each in its own, so that
// one that fails does not fail the others.
func (s *Store) attempt(jobs []*job) {
	err := s.transact(jobs)
	if err == nil || len(jobs) == 1 {
		for _, j := range jobs {
			j.done <- err
		}
		return
	}
	for _, j := range jobs {
		j.done <- s.transact([]*job{j})
	}
}

func (s *Store) transact(jobs []*job) error {
	var t *tx
	err := s.w.transaction("BEGIN IMMEDIATE", func() error {
		if err := s.foreign(); err != nil {
			return err
		}
		t = s.newTx()
		for _, j := range jobs {
			if err := j.do(t); err != nil {
				return err
			}
		}
		return t.flush()
	})
	if err != nil {
		s.forget() // what is in memory is ahead of the file
		err = wrap(err)
		if errors.Is(err, sessionstore.ErrFull) {
			// The WAL may hold much that is already in the file, or fits into it.
			_ = s.w.query("PRAGMA wal_checkpoint(TRUNCATE)", nil, func([]driver.Value) error { return nil })
		}
		return err
	}
	s.state.seq = t.seq
	s.streams.committed(t.newStreams, t.spans)
	if t.after != nil {
		t.after()
	}
	if t.added {
		s.tell.committed()
	}
	return nil
}

// do runs a job and waits for it. A caller whose context ends does not wait,
// but the job may still be done.
func (s *Store) do(ctx context.Context, do func(t *tx) error) error {
	j := &job{do: do, done: make(chan error, 1)}
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	select {
	case s.queue <- j:
	case <-s.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	return s.wait(ctx, j)
}

func (s *Store) wait(ctx context.Context, j *job) error {
	select {
	case err := <-j.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.ended:
		select {
		case err := <-j.done:
			return err
		default:
			return errClosed // queued in the moment of the end
		}
	}
}

// enqueue is do for records: it refuses instead of waiting for room.
func (s *Store) enqueue(ctx context.Context, j *job, bytes int64) error {
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	if j.records > 0 {
		if err := s.full(); err != nil {
			return err
		}
	}
	if waiting := s.waiting.Add(bytes); waiting > maxWaiting && waiting > bytes {
		s.waiting.Add(-bytes)
		return fmt.Errorf("%w: %d MiB of records", sessionstore.ErrOverloaded, maxWaiting>>20)
	}
	select {
	case s.queue <- j:
	default:
		s.waiting.Add(-bytes)
		return fmt.Errorf("%w: %d", sessionstore.ErrOverloaded, maxQueue)
	}
	defer s.waiting.Add(-bytes)
	return s.wait(ctx, j)
}
