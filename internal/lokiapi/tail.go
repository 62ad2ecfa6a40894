package lokiapi

import (
	"context"
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pm25/pm25/internal/logql"
)

const (
	maxTailDelay = 5 * time.Second        // of delay_for, as in Loki
	maxTailTime  = time.Hour              // after which a client has to come again, as with Loki
	tailPause    = 200 * time.Millisecond // at least, between two looks
	tailPing     = 15 * time.Second
	tailSilence  = time.Minute // without a pong
)

// tailParams is what a live tail is asked with.
type tailParams struct {
	log        *logql.LogExpr
	start      int64
	limit      int
	delay      time.Duration
	categorize bool
}

func (a *API) tailParams(r *http.Request) (p tailParams, err error) {
	expr, err := logql.Parse(r.Form.Get("query"))
	if err != nil {
		return p, err
	}
	var isLog bool
	if p.log, isLog = expr.(*logql.LogExpr); !isLog {
		return p, badRequest("only log queries can be tailed")
	}
	start, err := parseTime(r.Form.Get("start"), a.o.Now().Add(-time.Hour))
	if err != nil {
		return p, err
	}
	p.start = start.UnixNano()
	if p.limit, err = a.lines(r.Form); err != nil {
		return p, err
	}
	if value := r.Form.Get("delay_for"); value != "" {
		seconds, err := strconv.Atoi(value)
		if err != nil {
			return p, badRequest("delay_for %q is no number of seconds", clip(value))
		}
		p.delay = time.Duration(seconds) * time.Second
		if seconds < 0 || p.delay > maxTailDelay {
			return p, badRequest("delay_for can't be greater than %d", int(maxTailDelay.Seconds()))
		}
	}
	p.categorize = categorized(r)
	return p, nil
}

// tail sends lines over a websocket as they come.
func (a *API) tail(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		a.fail(w, r, badRequest("reading the form: %s", err))
		return
	}
	p, err := a.tailParams(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if a.tails.Add(1) > int64(a.o.MaxTails) {
		a.tails.Add(-1)
		a.refused.Add(1)
		a.fail(w, r, &statusError{http.StatusTooManyRequests, "max concurrent tail requests limit exceeded, max_tails is " + strconv.Itoa(a.o.MaxTails)})
		return
	}
	defer a.tails.Add(-1)
	// Checks Origin against Host: pages of others open no tails.
	upgrader := websocket.Upgrader{HandshakeTimeout: a.o.TailPatience, ReadBufferSize: 1 << 10, WriteBufferSize: 16 << 10}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // it has answered
	}
	defer func() { _ = conn.Close() }() // may be closed already
	ctx, cancel := context.WithTimeout(a.ended, maxTailTime)
	defer cancel()
	go drain(conn, cancel)
	t := &tailer{api: a, conn: conn, p: p, follow: newFollower(a.o.Source, p.log, p.start, a.o.Now)}
	code, reason := websocket.CloseGoingAway, "the tail ended"
	if err := t.run(ctx); err != nil {
		a.o.Logger.ErrorContext(ctx, "a live tail failed", "err", err)
		code, reason = websocket.CloseInternalServerErr, "the store could not answer"
	}
	_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second)) // may be gone
}

// drain reads what a client sends, which is pongs and an end.
func drain(conn *websocket.Conn, cancel func()) {
	defer cancel()
	conn.SetReadLimit(4 << 10)
	alive := func(string) error { return conn.SetReadDeadline(time.Now().Add(tailSilence)) }
	conn.SetPongHandler(alive)
	_ = alive("")
	for {
		if _, _, err := conn.NextReader(); err != nil {
			return
		}
	}
}

type tailer struct {
	api    *API
	conn   *websocket.Conn
	p      tailParams
	follow *follower
}

// run sends what there is, and then what comes, until ctx ends or the client is
// gone. An error is one of the source.
func (t *tailer) run(ctx context.Context) error {
	committed, cancel := t.api.o.Source.Subscribe()
	defer cancel()
	batch, err := t.follow.history(ctx, t.p.limit)
	if err != nil {
		return ignoreEnd(ctx, err)
	}
	if !t.send(batch) {
		return nil
	}
	ping := time.NewTicker(tailPing)
	defer ping.Stop()
	wake := time.NewTimer(tailPause)
	defer wake.Stop()
	for waiting := true; ; {
		select {
		case <-ctx.Done():
			return nil
		case <-ping.C:
			if t.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(t.api.o.TailPatience)) != nil {
				return nil
			}
		case <-committed:
			if !waiting {
				waiting = true
				wake.Reset(max(tailPause, t.p.delay))
			}
		case <-wake.C:
			waiting = false
			more, err := t.pass(ctx)
			if err != nil {
				return ignoreEnd(ctx, err)
			}
			if !more {
				return nil
			}
		}
	}
}

func ignoreEnd(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// pass sends all that is new, in batches; false if the client is gone.
func (t *tailer) pass(ctx context.Context) (bool, error) {
	for {
		batch, err := t.follow.next(ctx)
		t.api.dropped.Add(uint64(batch.left))
		if err != nil || batch.empty() {
			return true, err
		}
		if !t.send(batch) {
			return false, nil
		}
	}
}

func (t *tailer) send(b batch) bool {
	if len(b.streams) == 0 && len(b.dropped) == 0 {
		return true
	}
	var out answer
	out.raw(`{"streams":`)
	out.streams(b.streams, t.p.categorize)
	if t.p.categorize {
		out.raw(`,"encodingFlags":["` + flagCategorize + `"]`)
	}
	if len(b.dropped) > 0 {
		out.raw(`,"dropped_entries":[`)
		for i, d := range b.dropped {
			if i > 0 {
				out.raw(",")
			}
			out.raw(`{"labels":`)
			out.labels(d.stream.Labels)
			out.raw(`,"timestamp":"` + strconv.FormatInt(d.at, 10) + `"}`)
		}
		out.raw("]")
	}
	out.raw("}")
	if t.conn.SetWriteDeadline(time.Now().Add(t.api.o.TailPatience)) != nil {
		return false
	}
	err := t.conn.WriteMessage(websocket.TextMessage, out.b.Bytes())
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.api.cutOff.Add(1)
	}
	return err == nil
}
