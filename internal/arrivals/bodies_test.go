//go:build arrivals

package arrivals

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// read stops the server and notes what each record in its store says.
func (s *store) read(t *testing.T, all map[string]map[string]*seen) {
	t.Helper()
	s.Stop()
	files, err := filepath.Glob(filepath.Join(s.DataDir, "store", "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("the store's file: %v, %v", files, err)
	}
	db, err := sqlite.Open(sqlite.Options{Path: files[0], Logger: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var ids []string
	err = db.Entries(t.Context(), sessionstore.Selection{End: 1 << 62}, func(e *sessionstore.Entry) bool {
		ids = append(ids, e.ID)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		r, bucket, err := db.Record(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(variants, func(v variant) bool { return v.bucket() == bucket })
		j := slices.IndexFunc(causes(), func(c cause) bool { return c.name == r.App })
		if i < 0 || j < 0 {
			t.Errorf("a record of %s/%s", bucket, r.App)
			continue
		}
		if x := all[variants[i].name][r.App]; x != nil {
			x.take(r, causes()[j], variants[i])
		}
	}
}

// take notes what a record lacks.
func (x *seen) take(r *record.Record, c cause, v variant) {
	switch r.Kind {
	case record.Exception:
		if x.sources == nil {
			x.sources = map[source]int{}
		}
		x.sources[source(fmt.Sprintf("%s %s", r.Source, r.Exception.Mechanism))] += int(r.Count())
		x.exception(r, c)
	case record.Exit:
		if x.reasons == nil {
			x.reasons = map[string]int{}
		}
		x.reasons[r.Exit.Reason] += int(r.Count())
	default:
		return
	}
	mode := "fork"
	if v.workers > 0 {
		mode = "cluster"
	}
	unknown := r.PID == 0 || r.Started == 0 || r.Node == ""
	if r.Host != "host-"+v.bucket() || r.Daemon != "main" || r.Namespace != "default" || r.Version != version || r.Mode != mode || r.PMID < 0 || unknown && !c.brief() {
		x.problem("%s: host %s, daemon %s, namespace %s, version %q, mode %q, process %d, %d, started %d, Node.js %q", r.Kind, r.Host, r.Daemon, r.Namespace, r.Version, r.Mode, r.PMID, r.PID, r.Started, r.Node)
	}
	hint := c.hint
	if hint == "" || v.workers > 0 && c.name == "heap" { // what V8 says of workers is in PM2's log
		hint = "the last line before " + c.name
	}
	crashed := r.Kind == record.Exception || slices.Contains([]string{"crash", "errored"}, r.Exit.Reason)
	if crashed && !slices.ContainsFunc(r.Logs, func(l record.LogLine) bool { return strings.Contains(l.Text, hint) }) {
		x.problem("%s: the lines of its log are %v", r.Kind, r.Logs)
	}
}

// brief is true for what ends before anybody can ask PM2 for its process id.
func (c cause) brief() bool { return slices.Contains(c.ends, "errored") }

func (x *seen) exception(r *record.Record, c cause) {
	e := r.Exception
	x.prints[e.Fingerprint] = struct{}{}
	if !slices.ContainsFunc(c.titles, func(title string) bool { return strings.Contains(e.Title, title) }) {
		x.problem("the title is %q", e.Title)
	}
	if !c.frames {
		return
	}
	own := slices.ContainsFunc(e.Frames, func(f record.Frame) bool { return f.InApp && f.File == "causes.js" && f.Line > 0 && f.Text != "" })
	if !own || !strings.Contains(e.Stack, "causes.js") || !strings.Contains(e.Culprit, "causes.js") {
		x.problem("culprit %q, frames %+v, stack %s", e.Culprit, e.Frames, e.Stack)
	}
}

func (x *seen) problem(format string, args ...any) {
	x.problems = append(x.problems, fmt.Sprintf(format, args...))
}

// check holds what was seen to what was made.
func (x *seen) check(t *testing.T, c cause, v variant) {
	t.Helper()
	what, wantGroups := v.name+", "+c.name, 0
	least, most := x.wanted(c, v)
	if least > 0 {
		wantGroups = 1
	}
	if x.groups != wantGroups || x.counted < least || x.counted > most || x.loki != x.counted {
		t.Errorf("%s: happened %d times, want %d: groups %d, their count %d, LogQL's %d", what, x.made, most, x.groups, x.counted, x.loki)
	}
	if x.ends != x.ended || x.exits != x.ended {
		t.Errorf("%s: ended %d times, %d arrived, the agent counts %d", what, x.ended, x.ends, x.exits)
	}
	for reason := range x.reasons {
		if !slices.Contains(c.ends, reason) {
			t.Errorf("%s: ended as %s, want one of %v", what, reason, c.ends)
		}
	}
	for src := range x.sources {
		if !c.source(v).tells(src) {
			t.Errorf("%s: told of by %s, want %s", what, src, c.source(v))
		}
	}
	// The agent's counter leaves out what only the log told.
	if least = x.counted - x.sources[log]; c.source(v) == log {
		most = 0
	}
	if x.metric < least || x.metric > most {
		t.Errorf("%s: happened %d times, the agent counts %d", what, x.made, x.metric)
	}
	for _, p := range x.problems {
		t.Errorf("%s: %s", what, p)
	}
}
