package notify

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
)

// advicePanic is for a mistake in this program.
const advicePanic = "this is a mistake in PM25: report it with the stack in its log"

// recovered is deferred where a courier sends a batch. A panic costs the messages
// at hand, which Alertmanager brings again and counts as failed, and no others.
func (c *courier) recovered(batch *[]*parcel) {
	p := recover()
	if p == nil {
		return
	}
	v := robot.Verdict{Reason: catalog.NotifyPanic, Retry: true, Advice: advicePanic}
	now := c.bridge.opts.Now()
	if c.lastReason != v.Reason || now.Sub(c.lastLogged) >= logEach {
		c.lastLogged = now
		c.bridge.opts.Logger.With("robot_kind", c.kind, "robot", c.name).Error("Telling a chat robot something panicked, which is a mistake in PM25",
			"panic", panicText(p), "notifications", len(*batch), "stack", string(debug.Stack()))
	}
	c.lastReason = v.Reason
	c.bridge.metrics.failed(c, v.Reason)
	o := outcome{err: c.complaint(v), retry: true}
	if len(*batch) == 0 { // before any was taken: with these it would come again at once
		c.turnAway(o)
		return
	}
	c.bridge.metrics.result(c, catalog.NotifyUndelivered, len(*batch))
	for _, p := range *batch {
		select {
		case p.outcome <- o:
		default: // it was answered before
		}
	}
}

// panicText is what a panic says. What is not the runtime's own may hold the URL of
// a robot: then only its type.
func panicText(p any) string {
	if err, ok := p.(runtime.Error); ok {
		return err.Error()
	}
	return fmt.Sprintf("%T", p)
}
