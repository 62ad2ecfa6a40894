// Package notify is the bridge from Alertmanager to the group robots of DingTalk,
// Feishu (Lark) and WeCom, which answer 200 to what they refuse and take few
// messages a minute.
//
// POST /notify/{kind}/{receiver} takes what Alertmanager sends a webhook, and
// answers 200 only when the robot has taken a message that tells of it: so what
// is not delivered is told again and counted by Alertmanager, and the bridge
// keeps nothing on disk. What may pass is 503, which Alertmanager tries again
// within its group_interval; what somebody has to mend is 400, which it tries
// again when that is over.
//
// What comes faster than a robot takes it waits and is told in one message, a
// digest; the answer to each waits for that. It waits nine seconds at most: below
// the ten that the generated configuration gives a webhook, and so below any
// group_interval that Alertmanager keeps to, and above the five after which a
// robot takes the next message. Whoever waited in vain is answered 503, or has
// left, and is told of again. So each alert is told at least once while
// Alertmanager tries, and more than once only where an answer got lost.
//
// Each robot has a queue of its own, bounded in number and bytes, and is sent one
// message at a time: a slow one keeps no other waiting. A panic costs the messages
// at hand, which Alertmanager brings again, and no others. No URL or secret of a
// robot is in logs, metrics, answers or errors.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/rules/routing"
)

const (
	// patience is how long a notification waits for its message to be taken.
	patience = 9 * time.Second
	// attempt is how long a robot may take over one message.
	attempt = 4 * time.Second
	// gatherAfter is how long one may wait before it is told together with others,
	// so that what a slow robot delays does not wait for several turns.
	gatherAfter = 2 * time.Second
	// lookup is how long to look for what a person would look up first.
	lookup = 300 * time.Millisecond

	maxBody         = 8 << 20  // of a notification
	maxWaiting      = 1000     // notifications of a robot
	maxWaitingBytes = 16 << 20 // of their bodies, and alertSize for each alert
	alertSize       = 256      // what an alert takes besides its texts, about
	maxReading      = 16       // notifications that are read at a time
)

// Facts looks up what is known of the app of an alert.
type Facts interface {
	About(ctx context.Context, of facts.Subject) (facts.Known, error)
}

// Options of a Bridge.
type Options struct {
	Receivers routing.Receivers // those that are robots are served
	Owners    routing.Owners    // whom messages call
	Facts     []Facts           // all are asked; may be none
	// ExternalURL is where people reach the pages of exceptions; nil: there are none.
	ExternalURL *url.URL
	Registry    prometheus.Registerer
	Logger      *slog.Logger
	Now         func() time.Time
	// Transport sends messages; nil is newTransport.
	Transport http.RoundTripper
}

// Bridge passes notifications on to robots.
type Bridge struct {
	opts    Options
	client  *http.Client
	metrics *metrics
	reading chan struct{}

	mu       sync.Mutex
	conf     *settings
	couriers map[string]*courier // by the receiver's name
	paces    map[paceKey]*pace
	closed   bool
}

// settings are what a reload replaces.
type settings struct {
	receivers routing.Receivers
	owners    routing.Owners
}

// New starts a bridge. Files that the receivers name are read when a message is
// sent; what is wrong with them now is logged. Close has to follow.
func New(o Options) (*Bridge, error) {
	if o.Registry == nil || o.Logger == nil || o.Now == nil {
		return nil, errors.New("notify: an option is missing")
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	b := &Bridge{
		opts: o, metrics: newMetrics(), reading: make(chan struct{}, maxReading), couriers: map[string]*courier{}, paces: map[paceKey]*pace{},
		client: &http.Client{Transport: o.Transport, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // a redirect would carry the token elsewhere
		}},
	}
	if err := b.metrics.register(o.Registry); err != nil {
		return nil, fmt.Errorf("metrics of chat robots: %w", err)
	}
	b.Reload(o.Receivers, o.Owners)
	return b, nil
}

// newTransport is http.DefaultTransport's settings, and gives up a connection of
// HTTP/2 that the network has dropped: else all messages would go there, each in
// vain, until the kernel does.
func newTransport() *http.Transport {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.HTTP2 = &http.HTTP2Config{SendPingTimeout: attempt, PingTimeout: attempt}
	return t
}

// Reload replaces receivers and owners. What waits for a robot that stays is
// delivered as the new ones say; what waits for one that is gone is answered 503.
// One that comes back is spared as it would have been.
func (b *Bridge) Reload(receivers routing.Receivers, owners routing.Owners) {
	b.replace(receivers, owners)
	for _, name := range receivers.Robots() { // files may be slow: nobody waits for them
		kind := robot.Kind(receivers.Receivers[name].Kind())
		if _, err := readTarget(kind, *receivers.Receivers[name].Robot()); err != nil {
			b.opts.Logger.Warn("A chat robot can not be told anything yet", "robot_kind", kind, "robot", name, "err", err)
		}
	}
}

func (b *Bridge) replace(receivers routing.Receivers, owners routing.Owners) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.conf = &settings{receivers, owners}
	b.forgetPaces()
	for name, c := range b.couriers {
		if r, ok := receivers.Receivers[name]; !ok || robot.Kind(r.Kind()) != c.kind {
			c.stop()
			b.metrics.forget(c)
			delete(b.couriers, name)
		}
	}
	for _, name := range receivers.Robots() {
		if b.couriers[name] == nil {
			b.couriers[name] = b.newCourier(robot.Kind(receivers.Receivers[name].Kind()), name)
		}
	}
}

// settings returns what counts now.
func (b *Bridge) settings() *settings {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.conf
}

// courier returns who delivers to a robot, or the names of those of its kind.
func (b *Bridge) courier(kind robot.Kind, name string) (c *courier, others []string, closed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.couriers[name]; c != nil && c.kind == kind {
		return c, nil, false
	}
	for name, c := range b.couriers {
		if c.kind == kind {
			others = append(others, name)
		}
	}
	slices.Sort(others)
	return nil, others, b.closed
}

// Close answers 503 to all that waits, and waits for messages under way until ctx
// is done.
func (b *Bridge) Close(ctx context.Context) error {
	b.mu.Lock()
	b.closed = true
	couriers := b.couriers
	b.couriers = map[string]*courier{}
	b.mu.Unlock()
	for _, c := range couriers {
		c.stop()
	}
	for _, c := range couriers {
		select {
		case <-c.done:
		case <-ctx.Done():
			return fmt.Errorf("a message to the robot %s is still under way: %w", c.name, ctx.Err())
		}
	}
	b.client.CloseIdleConnections()
	return nil
}
