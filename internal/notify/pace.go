package notify

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pm25/pm25/internal/notify/robot"
)

// pace is how fast a robot is sent messages, and how long it is left alone. It is
// the robot's, not the courier's: a robot that a reload takes out and another puts
// back is spared as before.
type pace struct {
	limit   robot.Limit
	limiter *rate.Limiter

	mu      sync.Mutex
	until   time.Time // the robot is left alone
	refused int       // times in a row that it said there were too many
	used    time.Time // when it was sent something
}

// paceKey is whose pace it is.
type paceKey struct {
	kind robot.Kind
	name string
}

func newPace(kind robot.Kind) *pace {
	l := kind.Limit()
	return &pace{limit: l, limiter: rate.NewLimiter(rate.Every(l.Every), l.Burst)}
}

// left is how long the robot is still left alone; 0 or less: it is not.
func (p *pace) left(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until.Sub(now)
}

// use notes that the robot is sent something.
func (p *pace) use(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.used = now
}

// refuse leaves the robot alone, at least for what it asked for, and returns for
// how long.
func (p *pace) refuse(now time.Time, asked time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused++
	pause := max(p.limit.PauseAfter(p.refused), asked)
	p.until = now.Add(pause)
	return pause
}

// take notes that the robot took a message.
func (p *pace) take() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = 0
}

// rested is true when nothing of before matters any more: the pause is over, what
// was sent last was answered, and there is all the room again.
func (p *pace) rested(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !now.Before(p.until) && now.Sub(p.used) > attempt+time.Duration(p.limit.Burst)*p.limit.Every
}

// pace returns that of a robot. b.mu is held.
func (b *Bridge) pace(kind robot.Kind, name string) *pace {
	key := paceKey{kind, name}
	if b.paces[key] == nil {
		b.paces[key] = newPace(kind)
	}
	return b.paces[key]
}

// forgetPaces lets go of what robots that are gone were sent, once they have
// rested: ten minutes later at most. b.mu is held.
func (b *Bridge) forgetPaces() {
	for key, p := range b.paces {
		c := b.couriers[key.name]
		if (c == nil || c.kind != key.kind) && p.rested(b.opts.Now()) {
			delete(b.paces, key)
		}
	}
}
