package pm2

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/pm2/axon"
	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// EventKind says what a message on PM2's bus is about.
type EventKind int

// The kinds of bus messages. The topic itself is text that any app may
// choose, so it is mapped to these and goes no further.
const (
	EventCustom       EventKind = iota // a topic of the app's own
	EventOut                           // a chunk of an app's standard output
	EventErr                           // a chunk of an app's standard error
	EventDaemonLog                     // a line of PM2's own log
	EventLifecycle                     // process:event: start, online, exit, …
	EventException                     // process:exception
	EventMessage                       // process:msg and other plain messages
	EventHuman                         // io.emit of @pm2/io
	EventInternal                      // answers to actions, profiles, dependencies, spans
	EventKill                          // the daemon is going down
	EventReport                        // pm25:report of pm25-ext
	EventExtException                  // pm25:exception of pm25-ext; PM2 and the report have its count
	EventExtEvent                      // pm25:event of pm25-ext
	EventTransaction                   // http:transaction of pmx: one slow request
)

// Event is what is taken of one message. It is valid during the call of the
// handler only.
type Event struct {
	Kind EventKind
	// Name, Namespace and PMID name the process; PMID is -1 where there is
	// none, and that of the successor for a worker that a reload retires.
	Name, Namespace string
	PMID            int
	Retired         bool // a reload's outgoing worker ("_old_N")

	Lines     int       // EventOut, EventErr: newlines in the chunk
	Chunk     []byte    // … and, of a Bus that takes bodies, the end of its text
	ChunkCut  bool      // something before Chunk was not read
	Skipped   bool      // the process writes so much that Chunk was left out
	Text      []byte    // EventDaemonLog: the line
	Lifecycle string    // EventLifecycle: PM2's word for it
	Status    string    // EventLifecycle: the process's status then
	Notified  bool      // EventException: reported by the app, with metadata
	At        time.Time // when PM2 sent it; zero where it does not say

	Report       *Report // EventReport; never nil
	Method, Code string  // EventTransaction: of the request

	// Of a reader that takes bodies only, and these outlive the call.
	Thrown *Thrown // EventException, EventExtException
	Custom *Custom // EventCustom, EventMessage, EventHuman, EventExtEvent; nil where there are no data
	Life   *Life   // EventLifecycle
}

// maxMessage bounds one argument of a bus message. Heap snapshots of some
// hundred megabytes pass over the bus; they are skipped as they come in.
const maxMessage = math.MaxUint32

// Bus reads one PM2 daemon's pub.sock.
type Bus struct {
	in    *axon.Reader
	scan  *jsonscan.Scanner
	topic [64]byte
	names interner
	ext   *reportDecoder
	body  *bodyDecoder // nil where bodies are passed over
}

// NewBus reads from conn, which is never written to: the parameter's type has
// no Write.
func NewBus(conn io.Reader) *Bus {
	scan := jsonscan.New()
	return &Bus{in: axon.NewReader(conn, maxMessage), scan: scan, names: interner{}, ext: newReportDecoder(scan)}
}

// TakeBodies makes Read take what messages say: errors, events, and the text
// of logs within a budget. It is to be called before Read.
func (b *Bus) TakeBodies(now func() time.Time) {
	b.body = newBodyDecoder(b.scan)
	b.body.logs = newChunkReader(now)
}

// Read hands every message to handle until the connection ends. bad is called
// for a message that can not be decoded; reading goes on after it. Read
// returns io.EOF when PM2 closed the connection between two messages.
func (b *Bus) Read(handle func(*Event), bad func(error)) error {
	var ev Event
	for {
		argc, err := b.in.Next()
		if err != nil {
			return err
		}
		if argc != 2 {
			bad(fmt.Errorf("bus message of %d arguments, want 2", argc))
			continue
		}
		ev = Event{PMID: -1}
		err = b.message(&ev)
		b.scan.Wipe()
		if lost := b.in.Err(); lost != nil {
			return lost // the connection, not the message
		}
		if err != nil {
			bad(fmt.Errorf("bus message: %w", err))
			continue
		}
		handle(&ev)
	}
}

func (b *Bus) message(ev *Event) error {
	if _, err := b.in.Arg(); err != nil {
		return err
	}
	topic, err := b.in.Text(b.topic[:])
	if err != nil {
		return err
	}
	topic = bytes.TrimPrefix(topic, []byte("s:"))
	ev.Kind = kindOf(string(topic))
	if _, err := b.in.Arg(); err != nil {
		return err
	}
	var tag [2]byte
	if _, err := io.ReadFull(b.in, tag[:]); err != nil {
		return unexpected(err)
	}
	if string(tag[:]) != "j:" {
		return ev.complete() // no payload that says more
	}
	b.scan.Reset(b.in)
	err = b.scan.Object(func(key []byte) error {
		switch string(key) {
		case "at":
			return takeMillis(b.scan, &ev.At)
		case "process":
			return b.process(ev)
		case "event":
			return b.text(&ev.Lifecycle, 32)
		case "data":
			return b.data(ev, topic)
		case "raw": // process.send of something without a type
			if ev.Kind == EventMessage {
				return b.data(ev, topic)
			}
		}
		return nil
	})
	if b.body != nil && (ev.Kind == EventOut || ev.Kind == EventErr) {
		b.body.logs.complete(ev)
	}
	if ev.Kind == EventDaemonLog && ev.PMID >= 0 {
		// An app chose PM2's topic for a message of its own.
		ev.Kind, ev.Text = EventCustom, nil
	}
	if err != nil {
		return err
	}
	return ev.complete()
}

// complete fails for a report that is none.
func (ev *Event) complete() error {
	if ev.Kind == EventReport && ev.Report == nil {
		return fmt.Errorf("%w: there is nothing in it", errReport)
	}
	return nil
}

func (b *Bus) data(ev *Event, topic []byte) (err error) {
	switch ev.Kind {
	case EventOut, EventErr:
		if b.body != nil {
			return b.body.logs.take(b.scan, ev)
		}
		ev.Lines, err = b.scan.Lines()
		return err
	case EventDaemonLog:
		text, err := b.scan.Text(maxRawName)
		ev.Text = append(ev.Text[:0], text...)
		return err
	case EventException:
		if b.body != nil {
			ev.Thrown, err = b.body.thrown()
			ev.Notified = ev.Thrown != nil && ev.Thrown.ByApp
			return err
		}
		return b.scan.Object(func(key []byte) error {
			if string(key) == "metadata" {
				ev.Notified = true
			}
			return nil
		})
	case EventReport:
		ev.Report, err = b.ext.decode()
		return err
	case EventTransaction:
		return b.transaction(ev)
	case EventCustom, EventMessage, EventHuman, EventExtException, EventExtEvent:
		return b.body.take(ev, topic)
	default:
		return nil
	}
}

// transaction takes method and class of a slow request. The address, which has
// its query, stays here.
func (b *Bus) transaction(ev *Event) error {
	ev.Method, ev.Code = OtherMethod, OtherCode
	return b.scan.Object(func(key []byte) error {
		switch string(key) {
		case "method":
			text, err := b.scan.Text(maxMethod)
			ev.Method = knownMethod(text)
			return err
		case "code":
			v, _, err := b.scan.Float()
			if class := classOf(v); class != "" {
				ev.Code = class
			}
			return err
		}
		return nil
	})
}

func (b *Bus) process(ev *Event) error {
	return b.scan.Object(func(key []byte) error {
		switch string(key) {
		case "name":
			return b.name(&ev.Name)
		case "namespace":
			return b.name(&ev.Namespace)
		case "status":
			return b.text(&ev.Status, 32)
		case "pm_id":
			text, err := b.scan.Text(32)
			ev.PMID, ev.Retired = parsePMID(string(text))
			return err
		}
		if b.body != nil && ev.Kind == EventLifecycle {
			if ev.Life == nil {
				ev.Life = &Life{}
			}
			return b.body.life(ev.Life, key)
		}
		return nil
	})
}

func (b *Bus) name(into *string) error {
	text, err := b.scan.Text(maxRawName)
	*into = b.names.get(text)
	return err
}

func (b *Bus) text(into *string, limit int) error {
	return takeText(b.scan, into, limit)
}

func kindOf(topic string) EventKind {
	switch topic {
	case "log:out":
		return EventOut
	case "log:err":
		return EventErr
	case "log:PM2":
		return EventDaemonLog
	case "process:event":
		return EventLifecycle
	case "process:exception":
		return EventException
	case "process:msg":
		return EventMessage
	case "human:event":
		return EventHuman
	case "pm2:kill":
		return EventKill
	case TopicReport:
		return EventReport
	case TopicException:
		return EventExtException
	case TopicEvent:
		return EventExtEvent
	case "http:transaction":
		return EventTransaction
	case "profilings", "trace-span", "application:dependencies":
		return EventInternal
	}
	if strings.HasPrefix(topic, "axm:") {
		return EventInternal
	}
	return EventCustom
}

// interner keeps one copy of each name, so that a flood of log messages does
// not become a flood of garbage. It starts over when apps choose too many.
type interner map[string]string

func (in interner) get(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	if s, ok := in[string(raw)]; ok {
		return s
	}
	s := SafeName(raw)
	if len(raw) > maxName {
		return s
	}
	if len(in) >= 4096 {
		clear(in)
	}
	in[string(raw)] = s
	return s
}
