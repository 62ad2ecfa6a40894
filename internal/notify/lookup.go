package notify

import (
	"context"
	"fmt"
	"runtime/debug"
	"sync"

	"github.com/pm25/pm25/internal/notify/facts"
)

// about asks one of those that know something. A panic is an error: the message is
// told without.
func about(ctx context.Context, source Facts, subject facts.Subject) (k facts.Known, err error) {
	defer func() {
		if p := recover(); p != nil {
			k, err = facts.Known{}, fmt.Errorf("a panic, which is a mistake in PM25: %s\n%s", panicText(p), debug.Stack())
		}
	}()
	return source.About(ctx, subject)
}

// lookUp asks all that know something about all subjects at once. What is not
// there in time is left out, and complete is false; what failed is logged, and
// left out as well.
func (b *Bridge) lookUp(subjects []facts.Subject) (known map[facts.Subject]facts.Known, complete bool) {
	known = map[facts.Subject]facts.Known{}
	if len(subjects) == 0 || len(b.opts.Facts) == 0 {
		return known, true
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookup)
	defer cancel()
	var mu sync.Mutex
	var closed bool // what comes later is nobody's
	failed := false
	done := make(chan struct{})
	var all sync.WaitGroup
	for _, subject := range subjects {
		for _, source := range b.opts.Facts {
			all.Go(func() {
				k, err := about(ctx, source, subject)
				mu.Lock()
				defer mu.Unlock()
				if closed {
					return
				}
				if err != nil {
					failed = true
					if ctx.Err() == nil {
						b.opts.Logger.Warn("Looking up what belongs to an alert failed, so its message lacks it", "alert", subject.Alert, "app", subject.App, "err", err)
					}
				}
				known[subject] = known[subject].And(k)
			})
		}
	}
	go func() { all.Wait(); close(done) }()
	complete = true
	select {
	case <-done:
	case <-ctx.Done():
		complete = false
	}
	mu.Lock()
	defer mu.Unlock()
	closed = true
	return known, complete && !failed
}
