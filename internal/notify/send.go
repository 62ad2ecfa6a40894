package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/message"
	"github.com/pm25/pm25/internal/notify/robot"
)

const (
	// logEach is how often the same failure of a robot is logged.
	logEach = time.Minute
	// maxPages is in how many messages one digest is told, while there is room.
	maxPages = 4
)

// send tells a batch in one message, and everybody in it what became of it.
func (c *courier) send(batch []*parcel) {
	result, verdict := c.tell(batch)
	c.log(verdict, batch)
	o := outcome{}
	if !verdict.OK() {
		c.bridge.metrics.failed(c, verdict.Reason)
		o = outcome{err: c.complaint(verdict), retry: verdict.Retry, after: verdict.RetryAfter}
	}
	c.bridge.metrics.result(c, result, len(batch))
	if verdict.Reason == catalog.NotifyRateLimited {
		o.after = c.pause(verdict.RetryAfter)
	} else if verdict.OK() {
		c.pace.take()
	}
	for _, p := range batch {
		p.outcome <- o
	}
}

// tell makes the message and sends it.
func (c *courier) tell(batch []*parcel) (result string, v robot.Verdict) {
	conf := c.bridge.settings()
	receiver, ok := conf.receivers.Receivers[c.name]
	if !ok || receiver.Robot() == nil { // a reload came in between
		return catalog.NotifyUndelivered, robot.Verdict{Reason: catalog.NotifyFiles, Retry: true, Advice: errStopping.Error()}
	}
	target, err := readTarget(c.kind, *receiver.Robot())
	if err != nil {
		return catalog.NotifyUndelivered, robot.Verdict{Reason: catalog.NotifyFiles, Retry: true, Advice: err.Error()}
	}
	d, delivered := c.document(conf, batch)
	ctx, cancel := context.WithTimeout(context.Background(), attempt)
	defer cancel()
	v = c.post(ctx, target, d)
	if v.Reason == catalog.NotifyContent || v.Reason == catalog.NotifyTooLong {
		delivered, v = catalog.NotifyPlain, c.bare(ctx, conf, target, batch, v)
	}
	switch {
	case v.OK():
		return delivered, v
	case v.Reason == catalog.NotifyRateLimited:
		return catalog.NotifyThrottled, v
	case v.Retry:
		return catalog.NotifyUndelivered, v
	}
	return catalog.NotifyRejected, v
}

// document is what a batch is told with, and how that is counted.
func (c *courier) document(conf *settings, batch []*parcel) (d robot.Document, delivered string) {
	style := c.style(conf)
	if len(batch) > 1 {
		return style.Digest(notifications(batch)), catalog.NotifyDigested
	}
	n := batch[0].notification
	known, complete := c.bridge.lookUp(n.Subjects())
	style.Now = c.bridge.opts.Now()
	if !complete {
		return style.Detailed(n, known), catalog.NotifyPlain
	}
	return style.Detailed(n, known), catalog.NotifyDelivered
}

// bare tells a batch once more without what apps say: else their words, which the
// robot refuses each time, would keep alerts from being told. There may be no room
// for it: then the next message waits so much longer.
func (c *courier) bare(ctx context.Context, conf *settings, target robot.Target, batch []*parcel, refused robot.Verdict) robot.Verdict {
	now := c.bridge.opts.Now()
	c.pace.limiter.ReserveN(now, 1)
	c.bridge.metrics.failed(c, refused.Reason)
	if now.Sub(c.lastLogged) >= logEach {
		c.warn(refused, batch)
	}
	return c.post(ctx, target, c.style(conf).Bare(notifications(batch)))
}

func (c *courier) style(conf *settings) message.Style {
	return message.Style{
		Receiver: c.name, Language: conf.receivers.Language, Location: conf.receivers.Location(), Owners: conf.owners,
		External: c.bridge.opts.ExternalURL, Now: c.bridge.opts.Now(),
	}
}

func notifications(batch []*parcel) []message.Notification {
	all := make([]message.Notification, len(batch))
	for i, p := range batch {
		all[i] = p.notification
	}
	return all
}

// post sends a document, in several messages where it is long and there is room
// for them.
func (c *courier) post(ctx context.Context, target robot.Target, d robot.Document) robot.Verdict {
	title := d.Title
	for page := 1; ; page++ {
		r, rest, err := target.Request(ctx, c.bridge.opts.Now(), d)
		goOn := err == nil && len(rest) > 0 && page < maxPages && c.pace.limiter.AllowN(c.bridge.opts.Now(), 1)
		if goOn {
			last := d
			last.More = d.Next
			r, rest, err = target.Request(ctx, c.bridge.opts.Now(), last)
		}
		if err != nil {
			return robot.Verdict{Reason: catalog.NotifyFiles, Retry: true, Advice: err.Error()}
		}
		if v := c.ask(ctx, r); !v.OK() || !goOn {
			return v
		}
		d.Title, d.Blocks, d.Mentions = fmt.Sprintf("%s (%d)", title, page+1), rest, nil
	}
}

// ask sends a message and reads the answer.
func (c *courier) ask(ctx context.Context, r *http.Request) robot.Verdict {
	c.bridge.metrics.sent(c)
	resp, err := c.bridge.client.Do(r)
	if err != nil {
		return unreached(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, robot.MaxAnswer))
	if err != nil {
		return unreached(ctx, err)
	}
	return c.kind.Judge(resp.StatusCode, resp.Header, body)
}

// unreached is for a message that got no answer. It may have been taken.
func unreached(ctx context.Context, err error) robot.Verdict {
	var timeout net.Error
	if ctx.Err() != nil || errors.As(err, &timeout) && timeout.Timeout() {
		return robot.Verdict{Reason: catalog.NotifyTimeout, Retry: true, Advice: fmt.Sprintf("see whether the robot's server is reached from here: it did not answer within %s", attempt)}
	}
	return robot.Verdict{Reason: catalog.NotifyUnreachable, Retry: true, Advice: "see whether the robot's server is reached from here: " + cause(err)}
}

// cause is an error without the URL that was asked, which holds the token.
func cause(err error) string {
	var dns *net.DNSError
	var op *net.OpError
	var u *url.Error
	var cert *tls.CertificateVerificationError
	switch {
	case errors.As(err, &cert):
		return "its certificate is not trusted here; a proxy may have put its own in its place"
	case errors.As(err, &dns):
		return "its name is not found"
	case errors.As(err, &op):
		return op.Op + ": " + op.Err.Error()
	case errors.As(err, &u) && errors.Is(u.Err, io.EOF), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "it closed the connection"
	}
	return "the connection failed"
}

// complaint is what Alertmanager logs.
func (c *courier) complaint(v robot.Verdict) error {
	return fmt.Errorf("%s robot %s: %s (code %d): %s", c.kind, c.name, v.Reason, v.Code, v.Advice)
}

// log tells of a failure when it begins or changes, and once a minute, and of its
// end.
func (c *courier) log(v robot.Verdict, batch []*parcel) {
	now := c.bridge.opts.Now()
	switch {
	case v.OK() && c.lastReason != "":
		c.bridge.opts.Logger.With("robot_kind", c.kind, "robot", c.name).Info("The chat robot takes messages again")
	case v.OK():
	case v.Reason != c.lastReason || now.Sub(c.lastLogged) >= logEach:
		c.warn(v, batch)
	}
	c.lastReason = v.Reason
}

func (c *courier) warn(v robot.Verdict, batch []*parcel) {
	c.lastLogged = c.bridge.opts.Now()
	c.bridge.opts.Logger.With("robot_kind", c.kind, "robot", c.name).Warn("A chat robot did not take a message",
		"reason", v.Reason, "code", v.Code, "retry", v.Retry, "notifications", len(batch), "advice", v.Advice)
}
