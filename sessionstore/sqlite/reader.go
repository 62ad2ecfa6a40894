package sqlite

import (
	"context"
	"time"
)

// closeWait is how long Close waits for readers.
const closeWait = 10 * time.Second

// read runs do with a connection of the pool. do must not call other code that
// reads, or waits for anybody: the pool is small.
func (s *Store) read(ctx context.Context, do func(c *conn) error) error {
	select {
	case <-s.closed:
		return errClosed
	default:
	}
	select {
	case c := <-s.pool:
		defer func() { s.pool <- c }()
		return wrap(do(c))
	case <-s.closed:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// snapshot is read where several queries have to see the same.
func (s *Store) snapshot(ctx context.Context, do func(c *conn) error) error {
	return s.read(ctx, func(c *conn) error {
		return c.transaction("BEGIN", func() error { return do(c) })
	})
}
