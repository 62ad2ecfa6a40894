package alertmanager

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/notify"
)

var errClosed = errors.New("alertmanager is closed or reloaded")

// gate is the first stage of all deliveries of one configuration. It holds back
// what is in doubt, and knows when the last delivery has ended: the dispatcher
// does not wait for them, and one that was made has to be written down.
type gate struct {
	firing   *firing
	failures *failures
	next     notify.Stage

	mu     sync.Mutex
	closed bool
	busy   sync.WaitGroup
}

// Exec is called with the alerts of one group.
func (g *gate) Exec(ctx context.Context, l *slog.Logger, alerts ...*alert.Alert) (context.Context, []*alert.Alert, error) {
	if !g.enter() {
		return ctx, nil, errClosed
	}
	defer g.busy.Done()
	if !g.firing.await(ctx, alerts) {
		return ctx, nil, nil
	}
	g.firing.before(alerts)
	ctx, alerts, err := g.next.Exec(ctx, l, alerts...)
	if group, ok := notify.GroupKey(ctx); ok && !errors.Is(err, context.Canceled) {
		g.failures.note(group, err)
	}
	return ctx, alerts, err
}

func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.busy.Add(1)
	return true
}

// close lets nothing more in, and waits for what is in until ctx is done.
func (g *gate) close(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	empty := make(chan struct{})
	go func() {
		g.busy.Wait()
		close(empty)
	}()
	select {
	case <-empty:
		return nil
	case <-ctx.Done():
		return errors.New("a delivery did not end in time")
	}
}
