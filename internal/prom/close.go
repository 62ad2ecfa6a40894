package prom

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// reserved is the part of Close's time that is kept for the storage.
const reserved = 5

// Close stops all parts in order. What the context leaves no time for is cut
// off and told; the storage is closed all the same, unless a query can not be
// stopped.
func (s *Server) Close(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.close(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-done: // both are: prefer what came of it
		return err
	default:
		return fmt.Errorf("closing the time series in %s did not end in time: %w", s.opts.Dir, ctx.Err())
	}
}

func (s *Server) close(ctx context.Context) error {
	s.state.Lock() // waits for a running Reload
	defer s.state.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.ready.Store(false)

	parts, cancel := withReserve(ctx)
	defer cancel()
	defer context.AfterFunc(parts, s.abortWork)()
	defer s.abortWork()
	s.stopParts()
	var errs []error
	if s.remote != nil {
		errs = append(errs, s.flushRemote(parts))
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	if s.db != nil {
		errs = append(errs, s.closeStorage(ctx))
	}
	return errors.Join(errs...)
}

// withReserve ends before ctx does, so that the storage closes in time.
func withReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/reserved))
}

func (s *Server) stopParts() {
	s.stopFinding()
	// Rules before scraping: none may see series go that only we have stopped.
	if s.rules != nil {
		if !s.started {
			go s.rules.Run() // its groups wait for this to be able to end
		}
		s.rules.Stop()
	}
	if s.scrape != nil {
		s.scrape.Stop()
	}
	if s.notifier != nil {
		s.notifier.Stop()
	}
	s.running.Wait()
	if s.inMemory != nil {
		s.inMemory.CloseIdleConnections()
	}
}

// flushRemote sends what is queued. It has a deadline of its own, but none that
// is the context's.
func (s *Server) flushRemote(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.remote.Close() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return fmt.Errorf("remote write: not all was sent in time: %w", ctx.Err())
	}
}

// closeStorage ends queries first: what they read is mapped from files.
func (s *Server) closeStorage(ctx context.Context) error {
	if err := s.readers.close(ctx); err != nil {
		return fmt.Errorf("the time series in %s stay open, a query still reads them: %w", s.opts.Dir, err)
	}
	err := s.db.Close()
	s.guard.close()
	return err
}
