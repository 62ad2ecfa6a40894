package app

import (
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/pm25/pm25/internal/fingerprint"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/logring"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/recorder"
	"github.com/pm25/pm25/internal/safefile"
	"github.com/pm25/pm25/internal/scrub"
	"github.com/pm25/pm25/internal/ship"
	"github.com/pm25/pm25/internal/sourcemap"
	"github.com/pm25/pm25/internal/stack"
	"github.com/pm25/pm25/internal/stacklog"
)

// RecordOptions say what is recorded of what happens to apps. Where there is
// neither a server to send to nor a Sink nothing is, and what PM2's messages say
// is not read.
type RecordOptions struct {
	Sink            recorder.Sink // instead of the server; nil for none
	LogLines        int           // --log.lines
	NoLogExceptions bool          // --no-log.exceptions
	ScrubFile       string        // --scrub.patterns-file
}

func (o RecordOptions) validate() error {
	if o.LogLines < 0 || o.LogLines > record.MaxLogs {
		return fmt.Errorf("--log.lines is %d: it has to be between 0 and %d", o.LogLines, record.MaxLogs)
	}
	return nil
}

// recorders make a recorder for each daemon. A nil one makes none.
type recorders struct{ opts recorder.Options }

func newRecorders(o Options, shipper *ship.Shipper) (*recorders, error) {
	sink := o.Record.Sink
	if sink == nil && shipper != nil {
		sink = shipper
	}
	if sink == nil {
		return nil, nil
	}
	host, err := o.Ship.HostName()
	if err != nil {
		return nil, err
	}
	secrets, err := newScrubber(o.Record.ScrubFile)
	if err != nil {
		return nil, err
	}
	return &recorders{recorder.Options{
		Host: host, Sink: sink, Now: o.Now, LogLines: o.Record.LogLines, LogExceptions: !o.Record.NoLogExceptions,
		Tools: recorder.Tools{Parse: stack.Parse, Fill: fingerprint.Fill, Format: stack.Format, Scrub: secrets.Record, Ring: newRing, Stacks: newStacks},
	}}, nil
}

// newRing keeps twice the lines that a record has: those that came after a
// throw are not its.
func newRing() recorder.Ring {
	o := logring.Defaults()
	o.Lines *= 2
	ring, err := logring.New(o)
	if err != nil {
		panic(err) // these bounds are ours
	}
	return ring
}

// newStacks finds errors in one stream of a process.
func newStacks(found func(recorder.Found)) recorder.Stacks {
	r, err := stacklog.New(stacklog.Options{Emit: func(f stacklog.Found) {
		found(recorder.Found{Name: f.Name, Code: f.Code, Message: f.Message, Stack: f.Stack, Causes: f.Causes, At: f.At, Uncaught: f.Uncaught})
	}})
	if err != nil {
		panic(err) // there is somebody to tell
	}
	return r
}

// newScrubber takes patterns from a file: RE2 expressions, one a line; lines
// that begin with # say nothing.
func newScrubber(file string) (*scrub.Scrubber, error) {
	var o scrub.Options
	if file != "" {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--scrub.patterns-file: %w", err)
		}
		for line := range strings.Lines(string(data)) {
			if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
				o.Patterns = append(o.Patterns, line)
			}
		}
	}
	s, err := scrub.New(o)
	if err != nil {
		return nil, fmt.Errorf("--scrub.patterns-file %s: %w", file, err)
	}
	return s, nil
}

// start begins to record what happens under a daemon.
func (r *recorders) start(c discovery.Candidate) *recorder.Recorder {
	if r == nil {
		return nil
	}
	o := r.opts
	o.Daemon, o.Tools.Map = c.Label, sourceMaps(c)
	rec := recorder.New(o)
	go rec.Run()
	return rec
}

// maxMaps bounds what is kept of the source maps of one daemon's apps.
const maxMaps = 32 << 20

// sourceMaps applies those that lie beside the scripts, nil where nobody can
// tell whose files may be read.
func sourceMaps(c discovery.Candidate) func(root string, frames []record.Frame) ([]record.Frame, bool) {
	if c.OwnerUID < 0 {
		return nil
	}
	m, err := sourcemap.New(sourcemap.Options{MaxCache: maxMaps, Open: func(path string) (fs.File, error) {
		f, _, err := safefile.Open(c.Root, path, c.OwnerUID, 0)
		if err != nil {
			return nil, err
		}
		return f, nil
	}})
	if err != nil {
		panic(err) // there is something to open files with
	}
	return m.Map
}

// tellVersions tells a recorder what apps had run when the agent was stopped.
func tellVersions(rec *recorder.Recorder, l *ledger.Ledger) {
	if rec == nil {
		return
	}
	for _, key := range l.Listed() {
		if a := l.App(key); a.Version != "" || a.Revision != "" {
			rec.Known(recorder.Version{Namespace: key.Namespace, App: key.App, Version: a.Version, Revision: a.Revision, At: a.VersionAt})
		}
	}
}

// recorded waits until all that happened under a daemon is recorded.
func (w *watched) recorded() {
	if w.recorder != nil {
		w.recorder.Close()
	}
}
