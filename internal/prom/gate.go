package prom

import (
	"context"
	"errors"
	"sync"
)

var errClosed = errors.New("the time series are closed")

// gate counts who reads the storage, so that it is closed under nobody.
type gate struct {
	mu      sync.Mutex
	readers int
	closed  bool
	empty   chan struct{} // closed when the gate is and the last reader has left

	open context.Context
	end  context.CancelFunc
}

func newGate() *gate {
	g := &gate{empty: make(chan struct{})}
	g.open, g.end = context.WithCancel(context.Background())
	return g
}

// enter returns a context that ends when the gate closes, and what to call once
// when the reading is done.
func (g *gate) enter(ctx context.Context) (context.Context, func(), error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, errClosed
	}
	g.readers++
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(g.open, cancel)
	return ctx, func() { stop(); cancel(); g.leave() }, nil
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.readers--
	if g.closed && g.readers == 0 {
		close(g.empty)
	}
}

// close lets nobody in, cancels who is in and waits for them.
func (g *gate) close(ctx context.Context) error {
	g.end()
	g.mu.Lock()
	g.closed = true
	readers := g.readers
	g.mu.Unlock()
	if readers == 0 {
		return nil
	}
	select {
	case <-g.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
