// Package daemonlog reads PM2's own log, pm2.log.
//
// PM2 writes one line there for each process that ends, before it announces
// the end on its bus, and before it the line that tells why. The file is
// therefore the one complete record of what happened: Tail follows it by
// inode and offset, through rotation, so that a reader that was away, or slow,
// misses nothing and counts nothing twice.
//
// The package does not judge what a line means for an app (package exits).
package daemonlog

import (
	"bytes"
	"strconv"
	"strings"
	"time"
)

// Kind says what a line of PM2's log reports.
type Kind int

// The lines that matter; everything else is Other.
const (
	Other         Kind = iota
	Exited             // a process ended: Name, ID, Code, Signal
	Stopping           // PM2 is about to end a process: Name, ID
	Starting           // PM2 starts a process: Name, ID, Cluster
	MemoryLimit        // a process exceeds max_memory_restart: ID
	FileChanged        // a watched file changed: Name
	CronRemoved        // a cron job was taken off, as before each restart of its app: ID
	Reloading          // a reload of a process that can not overlap: ID
	GaveUp             // the process that just ended will not be restarted
	DaemonStarted      // a new daemon begins to write
)

// Line is one line, or the message of one log:PM2 event.
type Line struct {
	Kind    Kind
	At      time.Time // zero where the line bears no time in PM2's default form
	Name    []byte    // last line of the app's name
	ID      int
	Retired bool // outgoing worker of a reload
	Cluster bool
	Code    int
	Signal  string // without a signal PM2 says SIGINT
	// Mark tells the line from all others of the log, see Tail.Mark; zero for
	// one that does not come from the file.
	Mark [10]byte
}

// marker stands between PM2's time and its message. Workers in cluster mode
// share the daemon's standard error, so it need not be at the line's start.
var markers = [][]byte{[]byte(": PM2 log: "), []byte(": PM2 error: ")}

// Message returns the message of a line as PM2 writes it to the file, and the
// text before it that holds the time.
func Message(line []byte) (message, before []byte) {
	for _, m := range markers {
		if i := bytes.Index(line, m); i >= 0 {
			return line[i+len(m):], line[:i]
		}
	}
	return line, nil
}

// ParseFile reads a line of the file. Times are those of the daemon's zone, as PM2
// writes them.
func ParseFile(line []byte, loc *time.Location) Line {
	message, before := Message(line)
	l := Parse(message)
	const layout = "2006-01-02T15:04:05"
	if n := len(before); n >= len(layout) {
		if at, err := time.ParseInLocation(layout, string(before[n-len(layout):]), loc); err == nil {
			l.At = at
		}
	}
	return l
}

// Parse reads a message.
func Parse(message []byte) Line {
	m := bytes.TrimRight(message, "\r\n")
	switch {
	case bytes.Contains(m, []byte("] exited with code [")):
		return parseExited(m)
	case bytes.HasPrefix(m, []byte("Stopping app:")):
		return parseStopping(m[len("Stopping app:"):])
	case bytes.HasSuffix(m, []byte("] starting in -fork mode-")):
		return parseStarting(m, "] starting in -fork mode-", false)
	case bytes.HasSuffix(m, []byte("] starting in -cluster mode-")):
		return parseStarting(m, "] starting in -cluster mode-", true)
	case bytes.HasPrefix(m, []byte("[PM2][WORKER] Process ")) && bytes.Contains(m, []byte("max-memory-restart")):
		return withID(MemoryLimit, word(m[len("[PM2][WORKER] Process "):]))
	case bytes.HasPrefix(m, []byte("Change detected on path ")):
		return parseChange(m)
	case bytes.HasPrefix(m, []byte("[PM2] Deregistering a cron job on: ")):
		return withID(CronRemoved, word(m[len("[PM2] Deregistering a cron job on: "):]))
	case bytes.HasPrefix(m, []byte("Process ")) && bytes.HasSuffix(m, []byte(" in a stopped status, starting it")):
		return withID(Reloading, word(m[len("Process "):]))
	case bytes.HasPrefix(m, []byte("Script ")) && bytes.Contains(m, []byte(" had too many unstable restarts (")):
		return Line{Kind: GaveUp}
	case bytes.HasPrefix(m, []byte("--- New PM2 Daemon started ---")):
		return Line{Kind: DaemonStarted}
	}
	return Line{}
}

// parseExited: App [NAME:ID] exited with code [CODE] via signal [SIGNAL].
// Names may hold anything, so the parts are found from the end.
func parseExited(m []byte) Line {
	at := bytes.LastIndex(m, []byte("] exited with code ["))
	code, signal, ok := strings.Cut(string(m[at+len("] exited with code ["):]), "] via signal [")
	signal, closed := strings.CutSuffix(signal, "]")
	l, named := nameAndID(m[:at])
	if !ok || !closed || !named || len(signal) > 16 {
		return Line{}
	}
	n, err := strconv.Atoi(code)
	if err != nil {
		return Line{}
	}
	l.Kind, l.Code, l.Signal = Exited, n, signal
	return l
}

func parseStarting(m []byte, suffix string, cluster bool) Line {
	l, ok := nameAndID(m[:len(m)-len(suffix)])
	if !ok {
		return Line{}
	}
	l.Kind, l.Cluster = Starting, cluster
	return l
}

// nameAndID reads "App [NAME:ID". A name with a newline lost its beginning to
// the line before.
func nameAndID(m []byte) (Line, bool) {
	m = bytes.TrimPrefix(m, []byte("App ["))
	colon := bytes.LastIndexByte(m, ':')
	if colon < 0 {
		return Line{}, false
	}
	l := withID(Other, m[colon+1:])
	l.Name = m[:colon]
	return l, l.ID >= 0
}

// parseStopping: NAME id:ID.
func parseStopping(m []byte) Line {
	at := bytes.LastIndex(m, []byte(" id:"))
	if at < 0 {
		return Line{}
	}
	l := withID(Stopping, m[at+len(" id:"):])
	l.Name = m[:at]
	return l
}

// parseChange: Change detected on path PATH for app NAME - restarting.
func parseChange(m []byte) Line {
	m, ok := bytes.CutSuffix(m, []byte(" - restarting"))
	at := bytes.LastIndex(m, []byte(" for app "))
	if !ok || at < 0 {
		return Line{}
	}
	return Line{Kind: FileChanged, Name: m[at+len(" for app "):], ID: -1}
}

func withID(kind Kind, text []byte) Line {
	digits, retired := strings.CutPrefix(string(text), "_old_")
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil {
		return Line{ID: -1}
	}
	return Line{Kind: kind, ID: int(n), Retired: retired}
}

func word(m []byte) []byte {
	if i := bytes.IndexByte(m, ' '); i >= 0 {
		return m[:i]
	}
	return m
}
