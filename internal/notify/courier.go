package notify

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/message"
	"github.com/pm25/pm25/internal/notify/robot"
)

// courier delivers to one robot, one message at a time.
type courier struct {
	bridge  *Bridge
	kind    robot.Kind
	name    string
	pace    *pace // also of couriers to the same robot before and after this one
	held    bool  // there is room for a message that was not sent yet; used by run alone
	wake    chan struct{}
	stopped chan struct{}
	done    chan struct{}

	mu      sync.Mutex
	waiting []*parcel
	bytes   int
	ended   bool

	counting sync.RWMutex
	gone     bool // a reload took it away: its series are no more

	lastReason string // of what was logged
	lastLogged time.Time
}

// parcel is a notification that waits.
type parcel struct {
	notification message.Notification
	size         int
	came         time.Time
	outcome      chan outcome // takes one
}

// outcome is what became of a notification. err is for Alertmanager's log.
type outcome struct {
	err   error
	retry bool
	after time.Duration // when it may be tried again; 0: not known
}

var (
	errStopping = errors.New("the bridge stops, or this receiver is gone")
	errFull     = errors.New("too many notifications wait for this robot")
	errPaused   = errors.New("the robot said that there were too many messages, and is left alone for a while")
	errPatience = errors.New("the robot took too long, or there was no room for a message in time")
)

// newCourier starts one. b.mu is held.
func (b *Bridge) newCourier(kind robot.Kind, name string) *courier {
	c := &courier{
		bridge: b, kind: kind, name: name, pace: b.pace(kind, name),
		wake: make(chan struct{}, 1), stopped: make(chan struct{}), done: make(chan struct{}),
	}
	b.metrics.begin(kind, name)
	if left := c.pace.left(b.opts.Now()); left > 0 {
		c.showPause(left)
	}
	go c.run()
	return c
}

// stop lets the message under way end, and no other begin.
func (c *courier) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.ended = true
		close(c.stopped)
	}
}

// deliver waits until the notification was told, or not. ctx is the client's.
func (c *courier) deliver(ctx context.Context, n message.Notification, size int) outcome {
	p := &parcel{notification: n, size: size, came: c.bridge.opts.Now(), outcome: make(chan outcome, 1)}
	if o := c.enqueue(p); o.err != nil {
		c.bridge.metrics.result(c, catalog.NotifyThrottled, 1)
		return o
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case o := <-p.outcome:
		return o
	case <-ctx.Done():
	case <-timer.C:
	}
	switch {
	case c.withdraw(p):
		c.bridge.metrics.result(c, catalog.NotifyAbandoned, 1)
	case ctx.Err() == nil:
		return <-p.outcome // it is under way, which is bounded
	}
	return outcome{err: errPatience, retry: true}
}

// enqueue lets a parcel wait, unless that would be in vain.
func (c *courier) enqueue(p *parcel) outcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.pace.left(p.came)
	switch {
	case c.ended:
		return outcome{err: errStopping, retry: true}
	case left > 0:
		return outcome{err: errPaused, retry: true, after: left}
	case len(c.waiting) >= maxWaiting || c.bytes+p.size > maxWaitingBytes:
		return outcome{err: errFull, retry: true}
	}
	c.waiting = append(c.waiting, p)
	c.bytes += p.size
	c.bridge.metrics.setWaiting(c, len(c.waiting))
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return outcome{}
}

// withdraw takes back a parcel that still waits.
func (c *courier) withdraw(p *parcel) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, other := range c.waiting {
		if other == p {
			c.take(i, i+1)
			return true
		}
	}
	return false
}

// take removes parcels from those that wait. c.mu is held.
func (c *courier) take(from, to int) []*parcel {
	taken := append([]*parcel(nil), c.waiting[from:to]...)
	rest := append([]*parcel(nil), c.waiting[:from]...)
	c.waiting = append(rest, c.waiting[to:]...)
	for _, p := range taken {
		c.bytes -= p.size
	}
	c.bridge.metrics.setWaiting(c, len(c.waiting))
	return taken
}

// run sends what waits until it is stopped.
func (c *courier) run() {
	defer close(c.done)
	defer func() { c.turnAway(outcome{err: errStopping, retry: true}) }()
	for {
		select {
		case <-c.wake:
		case <-c.stopped:
			return
		}
		for c.some() {
			if !c.turn() {
				return
			}
		}
	}
}

// turn waits for room and sends one batch; false when stopped.
func (c *courier) turn() (goOn bool) {
	var batch []*parcel
	goOn = true // also after a panic
	defer c.recovered(&batch)
	if !c.room() {
		return false
	}
	if left := c.pace.left(c.bridge.opts.Now()); left > 0 { // said to the courier before this one, just now
		c.showPause(left)
		c.turnAway(outcome{err: errPaused, retry: true, after: left})
		return true
	}
	if batch = c.next(); len(batch) > 0 {
		c.held = false
		c.pace.use(c.bridge.opts.Now())
		c.send(batch)
	}
	return true
}

func (c *courier) some() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > 0 && !c.ended
}

// room waits until the robot takes a message, while more gathers; false when
// stopped. Who waited may have left meanwhile: then the room stays.
func (c *courier) room() bool {
	if c.held {
		return true
	}
	c.held = true
	delay := c.pace.limiter.ReserveN(c.bridge.opts.Now(), 1).DelayFrom(c.bridge.opts.Now())
	if delay <= 0 {
		return true
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-c.stopped:
		return false
	}
}

// next takes what is told in one message: one notification while there is room
// for a message of each, else all.
func (c *courier) next() []*parcel {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.waiting) == 0 {
		return nil
	}
	now := c.bridge.opts.Now()
	roomFor := int(c.pace.limiter.TokensAt(now)) + 1 // one was taken already
	if len(c.waiting) <= roomFor && now.Sub(c.waiting[0].came) <= gatherAfter {
		return c.take(0, 1)
	}
	return c.take(0, len(c.waiting))
}

// pause leaves the robot alone, at least for what it asked for: whoever waits is
// told to come again.
func (c *courier) pause(asked time.Duration) time.Duration {
	pause := c.pace.refuse(c.bridge.opts.Now(), asked)
	c.showPause(pause)
	c.turnAway(outcome{err: errPaused, retry: true, after: pause})
	return pause
}

// showPause tells that the robot is left alone, until it is not.
func (c *courier) showPause(left time.Duration) {
	c.bridge.metrics.setPaused(c, true)
	time.AfterFunc(left, c.resume)
}

// resume tells that the pause is over, if it is.
func (c *courier) resume() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && c.pace.left(c.bridge.opts.Now()) <= 0 {
		c.bridge.metrics.setPaused(c, false)
	}
}

// turnAway answers all that wait.
func (c *courier) turnAway(o outcome) {
	c.mu.Lock()
	all := c.take(0, len(c.waiting))
	c.mu.Unlock()
	for _, p := range all {
		p.outcome <- o
	}
	c.bridge.metrics.result(c, catalog.NotifyThrottled, len(all))
}
