//go:build arrivals

package arrivals

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

const (
	version = "1.4.2" // of apps/package.json
	giveUp  = 3       // restarts of what never stays up
)

// cause is what an app does, and what has to arrive of it.
type cause struct {
	name, says string // in the table
	script     string // default: causes.js
	extra      map[string]any
	nodeArgs   []string

	titles  []string // what the exception group's says, one of them; without any no exception arrives
	frames  bool     // there is a stack with the app's own frames
	plain   source   // who tells of it without pm25-ext; none: nobody can
	withExt source
	// notInFork: PM2 swallows it in fork mode, and nobody hears of it.
	notInFork bool
	ends      []string // reasons of ends that may be; none: the process lives on
	hint      string   // a line of the log that goes with it, where the app writes none before
}

// source is who tells of an exception, and as what: "pm2 uncaught"; several
// are either of them.
type source string

const (
	nobody source = ""
	log    source = "log logged"
	// On a busy host a process may end before its last messages have left it.
	thrown        source = "pm2 uncaught|pm2 unknown|log logged"
	thrownWithExt source = "ext uncaught|log logged"
)

func once(more ...any) map[string]any {
	out := map[string]any{"autorestart": false}
	for i := 0; i < len(more); i += 2 {
		out[more[i].(string)] = more[i+1]
	}
	return out
}

func causes() []cause {
	hopeless := map[string]any{"max_restarts": giveUp, "min_uptime": 100_000}
	crash := []string{"crash"}
	return []cause{
		{name: "throw", says: "uncaught throw", titles: []string{"TypeError: boom"}, frames: true, plain: thrown, withExt: thrownWithExt, ends: crash, extra: once()},
		{name: "throw-text", says: "uncaught throw of a text", titles: []string{"a thrown text"}, plain: thrown, withExt: thrownWithExt, ends: crash, extra: once()},
		{name: "loop", says: "crash loop", titles: []string{"TypeError: boom again"}, frames: true, plain: thrown, withExt: thrownWithExt, ends: append(crash, "errored"), extra: hopeless},
		{name: "broken", says: "syntax error at start", script: "broken.js", titles: []string{"SyntaxError: Unexpected token ';'"}, plain: thrown, withExt: thrownWithExt, ends: append(crash, "errored"), extra: hopeless, hint: "SyntaxError"},
		{name: "reject", says: "unhandled rejection", titles: []string{"RangeError: rejected"}, frames: true, plain: "pm2 unknown", withExt: "ext rejection"},
		{name: "reject-text", says: "rejection with a text", titles: []string{"a rejected text"}, plain: "pm2 unknown", withExt: "ext rejection"},
		{name: "reject-object", says: "rejection with an object", titles: []string{"no reason", "NonError"}, plain: "pm2 unknown", withExt: "ext rejection"},
		{name: "reject-nothing", says: "rejection with nothing", titles: []string{"undefined", "No error but"}, plain: "pm2 unknown", withExt: "ext rejection", notInFork: true},
		{name: "notify", says: "`notifyError`", titles: []string{"RangeError: declined"}, frames: true, plain: "pm2 notified", withExt: "ext notified"},
		{name: "express", says: "express, its default error handler", titles: []string{"TypeError: no such order"}, frames: true, plain: log, withExt: "ext handled"},
		{name: "express-own", says: "express, a silent error handler", titles: []string{"TypeError: no such order"}, frames: true, plain: nobody, withExt: "ext handled"},
		{name: "winston", says: "winston, JSON", titles: []string{"query failed"}, frames: true, plain: log, withExt: log},
		{name: "pino", says: "pino", titles: []string{"query failed"}, frames: true, plain: log, withExt: log},
		{name: "stderr", says: "`console.error(err)`", titles: []string{"RangeError: query failed"}, frames: true, plain: log, withExt: log},
		{name: "heap", says: "V8’s heap limit", ends: []string{"crash"}, extra: once(), nodeArgs: []string{"--max-old-space-size=24"}, hint: "heap out of memory"},
		{name: "memory", says: "PM2’s memory limit", ends: []string{"memory_limit"}, extra: map[string]any{"max_memory_restart": "150M"}},
	}
}

// variant is how apps are run.
type variant struct {
	name    string
	ext     bool
	workers int // of a cluster; 0 is fork mode
}

var variants = []variant{{"fork", false, 0}, {"cluster", false, 2}, {"fork, pm25-ext", true, 0}, {"cluster, pm25-ext", true, 2}}

// bucket is the variant's name as one.
func (v variant) bucket() string { return strings.ReplaceAll(v.name, ", ", "-") }

func (v variant) processes() int { return max(v.workers, 1) }

// tells is true for who may tell of it.
func (s source) tells(who source) bool {
	return slices.Contains(strings.Split(string(s), "|"), string(who))
}

func (c cause) source(v variant) source {
	switch {
	case v.ext:
		return c.withExt
	case c.notInFork && v.workers == 0:
		return nobody
	}
	return c.plain
}

// stage is where the apps of a variant are and keep book.
type stage struct{ dir, ext string }

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{dir: t.TempDir(), ext: installExt(t)}
	for _, name := range []string{"causes.js", "broken.js", "package.json"} {
		b, err := os.ReadFile(under("internal/arrivals/apps", name))
		if err == nil {
			err = os.WriteFile(filepath.Join(s.dir, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *stage) book(c cause) string { return filepath.Join(s.dir, c.name+".book") }
func (s *stage) signal() string      { return filepath.Join(s.dir, "go") }

// goes makes all apps do what they are there for.
func (s *stage) goes(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(s.signal(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *stage) app(c cause, v variant) pm2test.AppSpec {
	script := c.script
	if script == "" {
		script = "causes.js"
	}
	spec := pm2test.AppSpec{
		Name: c.name, Script: filepath.Join(s.dir, script), Cluster: v.workers, Extra: maps.Clone(c.extra), NodeArgs: c.nodeArgs,
		Env: map[string]string{
			"CAUSE": c.name, "BOOK": s.book(c), "GO": s.signal(), "FRAMEWORKS": under("ext/test/frameworks"), "LOGGERS": under("tools/loggers"),
			"IO": under("tools/pm2/6/node_modules/@pm2/io"),
		},
	}
	if spec.Extra == nil {
		spec.Extra = map[string]any{}
	}
	spec.Extra["cwd"] = s.dir
	if v.ext {
		spec.NodeArgs = append(preload(s.ext), c.nodeArgs...)
		spec.Env["EXT"] = s.ext
	}
	return spec
}

// done is how often an app did what it is there for, by its own book.
func (s *stage) done(c cause) int {
	b, err := os.ReadFile(s.book(c))
	if err != nil {
		return 0 // it has not begun
	}
	return strings.Count(string(b), "\n")
}
