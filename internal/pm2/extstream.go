package pm2

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// MaxExtLine bounds one message of pm25-ext that does not come over PM2's bus.
const MaxExtLine = 1 << 20

// ExtStream reads the messages that pm25-ext sends where it has no way to
// PM2's bus: one JSON object a line.
type ExtStream struct {
	in   *bufio.Reader
	scan *jsonscan.Scanner
	ext  *reportDecoder
	body *bodyDecoder // nil where bodies are passed over
}

// NewExtStream reads from conn, which is never written to.
func NewExtStream(conn io.Reader) *ExtStream {
	scan := jsonscan.New()
	return &ExtStream{in: bufio.NewReaderSize(conn, 16<<10), scan: scan, ext: newReportDecoder(scan)}
}

// TakeBodies makes Read take what exceptions and events say. It is to be
// called before Read.
func (x *ExtStream) TakeBodies() { x.body = newBodyDecoder(x.scan) }

// Read hands every message to handle until the stream ends, which is io.EOF
// between two lines. An event has a PMID, as the process says it, and no name.
// bad is called for a line that can not be decoded or is too long.
func (x *ExtStream) Read(handle func(*Event), bad func(error)) error {
	for {
		if _, err := x.in.Peek(1); err != nil {
			return err
		}
		l := line{in: x.in, left: MaxExtLine}
		ev := Event{PMID: -1}
		err := x.message(&l, &ev)
		x.scan.Wipe()
		if lost := l.skip(); lost != nil {
			return lost
		}
		if err != nil {
			bad(fmt.Errorf("message of pm25-ext: %w", err))
			continue
		}
		handle(&ev)
	}
}

func (x *ExtStream) message(l *line, ev *Event) error {
	x.scan.Reset(l)
	known := false
	err := x.scan.Object(func(key []byte) error {
		switch string(key) {
		case "topic":
			text, err := x.scan.Text(64)
			ev.Kind = kindOf(string(text))
			known = ev.Kind == EventReport || ev.Kind == EventExtException || ev.Kind == EventExtEvent
			return err
		case "data":
			if ev.Kind != EventReport {
				return x.body.take(ev, nil)
			}
			report, err := x.ext.decode()
			ev.Report = report
			return err
		case "pm_id":
			return takeInt(x.scan, &ev.PMID)
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case !known:
		return fmt.Errorf("%w: unknown topic", errReport)
	}
	return ev.complete()
}

var errLongLine = errors.New("the line is too long")

// line reads up to the end of one line.
type line struct {
	in   *bufio.Reader
	left int
	done bool
	lost error
}

func (l *line) Read(p []byte) (int, error) {
	chunk, err := l.next()
	if err != nil {
		return 0, err
	}
	if l.left == 0 {
		return 0, errLongLine
	}
	n := copy(p[:min(len(p), l.left)], chunk)
	l.left -= n
	_, _ = l.in.Discard(n) // it is in the buffer
	return n, nil
}

// next returns what is at hand of the line.
func (l *line) next() ([]byte, error) {
	if l.lost != nil {
		return nil, l.lost
	}
	if l.done {
		return nil, io.EOF
	}
	if _, err := l.in.Peek(1); err != nil {
		l.lost = unexpected(err)
		return nil, l.lost
	}
	chunk, _ := l.in.Peek(l.in.Buffered())
	if end := bytes.IndexByte(chunk, '\n'); end == 0 {
		l.done = true
		_, _ = l.in.Discard(1)
		return nil, io.EOF
	} else if end > 0 {
		chunk = chunk[:end]
	}
	return chunk, nil
}

// skip passes over the rest of the line.
func (l *line) skip() error {
	for {
		chunk, err := l.next()
		if errors.Is(err, io.EOF) && l.done {
			return nil
		}
		if err != nil {
			return err
		}
		_, _ = l.in.Discard(len(chunk))
	}
}
