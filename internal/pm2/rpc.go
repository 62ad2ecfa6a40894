package pm2

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/pm2/axon"
	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// MaxReply is the largest answer that is read from PM2. An app costs about
// 6 KB of it, most of that its environment.
const MaxReply = 64 << 20

// ErrReply means that PM2 answered something that does not fit the request.
var ErrReply = errors.New("unexpected answer from PM2")

// RPC asks one PM2 daemon over its rpc.sock. Calls run one at a time. After
// any error the connection is closed, because its place in the stream is no
// longer known: dial a new one.
type RPC struct {
	mu   sync.Mutex
	conn net.Conn
	in   *axon.Reader
	scan *jsonscan.Scanner

	preload string
}

// NewRPC takes over conn, which must be a proven PM2 daemon's rpc.sock.
func NewRPC(conn net.Conn) *RPC {
	return &RPC{conn: conn, in: axon.NewReader(conn, MaxReply), scan: jsonscan.New()}
}

// LookFor makes List tell of each process whether it loads that file, pm25-ext's,
// and which other arguments for Node.js it has.
func (c *RPC) LookFor(preload string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.preload = preload
}

// Close closes the connection; a call under way fails.
func (c *RPC) Close() error { return c.conn.Close() }

// Ping checks that the daemon answers.
func (c *RPC) Ping(ctx context.Context) error {
	return c.call(ctx, requestPing, (*jsonscan.Scanner).Skip)
}

// Version asks for PM2's version, such as "7.0.4".
func (c *RPC) Version(ctx context.Context) (version string, err error) {
	err = c.call(ctx, requestGetVersion, func(s *jsonscan.Scanner) error {
		return s.Array(func() error {
			text, err := s.Text(64)
			version = SafeText(text, 64)
			return err
		})
	})
	return version, err
}

// List asks for all processes.
func (c *RPC) List(ctx context.Context) (list []Process, err error) {
	err = c.call(ctx, requestGetMonitorData, func(s *jsonscan.Scanner) error {
		return s.Array(func() error { // the arguments of PM2's callback: one, the list
			list, err = decodeList(s, c.preload, list)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// call sends req and hands the "args" of the answer to decode.
func (c *RPC) call(ctx context.Context, req request, decode func(*jsonscan.Scanner) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The deadline is set before a cancellation can cut it short, never after.
	deadline, _ := ctx.Deadline()
	if err := c.conn.SetDeadline(deadline); err != nil {
		return fmt.Errorf("asking PM2 for %s: %w", req, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	err := c.exchange(req, decode)
	c.scan.Wipe()
	if err != nil {
		_ = c.conn.Close()
		switch {
		case ctx.Err() != nil:
			err = ctx.Err()
		case errors.Is(err, os.ErrDeadlineExceeded): // a moment before ctx knows
			err = context.DeadlineExceeded
		}
		return fmt.Errorf("asking PM2 for %s: %w", req, err)
	}
	return nil
}

func (c *RPC) exchange(req request, decode func(*jsonscan.Scanner) error) error {
	if err := send(c.conn, req); err != nil {
		return err
	}
	argc, err := c.in.Next()
	if err != nil {
		return unexpected(err)
	}
	if argc != 2 {
		return fmt.Errorf("%w: %d arguments, want 2", ErrReply, argc)
	}
	if err := c.reply(decode); err != nil {
		return err
	}
	if _, err := c.in.Arg(); err != nil {
		return err
	}
	id, err := c.in.Text(make([]byte, len(req.id())+1))
	if err != nil {
		return err
	}
	if string(id) != req.id() {
		return fmt.Errorf("%w: it belongs to another request", ErrReply)
	}
	return nil
}

// reply reads the first argument of an answer: j:{"args":[…]} or j:{"error":…}.
func (c *RPC) reply(decode func(*jsonscan.Scanner) error) error {
	if _, err := c.in.Arg(); err != nil {
		return err
	}
	var tag [2]byte
	if _, err := io.ReadFull(c.in, tag[:]); err != nil || string(tag[:]) != "j:" {
		return fmt.Errorf("%w: not JSON", ErrReply)
	}
	c.scan.Reset(c.in)
	var answered bool
	var refusal string
	err := c.scan.Object(func(key []byte) error {
		switch string(key) {
		case "args":
			answered = true
			return decode(c.scan)
		case "error":
			text, err := c.scan.Text(200)
			refusal = SafeText(text, 200)
			return err
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case refusal != "":
		return fmt.Errorf("%w: it refused: %s", ErrReply, refusal)
	case !answered:
		return fmt.Errorf("%w: neither args nor error in it", ErrReply)
	}
	return nil
}

// send is the only place that writes to a PM2 socket; a test over the source
// holds that. One frame is one write.
func send(conn net.Conn, req request) error {
	_, err := io.WriteString(conn, string(req))
	return err
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
