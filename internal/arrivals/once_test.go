//go:build arrivals

package arrivals

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestEachArrivesOnce: whatever goes wrong in an app arrives once, with what a
// person needs to know of it.
func TestEachArrivesOnce(t *testing.T) {
	var mu sync.Mutex
	rows, prints := map[string][][]any{}, fingerprints{}
	t.Run("all", func(t *testing.T) {
		for _, major := range pm2test.Versions() {
			t.Run("PM2 "+major, func(t *testing.T) {
				t.Parallel()
				got, seen := arrivals(t, major)
				mu.Lock()
				defer mu.Unlock()
				rows[major] = got
				prints.add(seen)
			})
		}
	})
	for _, c := range causes() {
		if n := len(prints[c.name]); c.frames && n > 1 {
			t.Errorf("%s: fork and cluster, with pm25-ext and without, under all PM2s: %d fingerprints", c.name, n)
		}
	}
	table := doctable.New("PM2", "what happens", "fork", "cluster of 2", "fork, pm25-ext", "cluster of 2, pm25-ext")
	for _, major := range pm2test.Versions() {
		for _, row := range rows[major] {
			table.Add(row...)
		}
	}
	doc.Write(t, "once", table)
}

// fingerprints are those of each cause.
type fingerprints map[string]map[string]struct{}

func (f fingerprints) add(more fingerprints) {
	for name, prints := range more {
		if f[name] == nil {
			f[name] = map[string]struct{}{}
		}
		maps.Copy(f[name], prints)
	}
}

// arrivals makes everything happen under one PM2, and returns a row for each
// cause.
func arrivals(t *testing.T, major string) (rows [][]any, prints fingerprints) {
	s := newStore(t)
	prints = fingerprints{}
	seen := map[string]map[string]*seen{}
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) { seen[v.name] = s.happens(t, major, v) })
	}
	s.read(t, seen)
	for _, c := range causes() {
		row := []any{major, c.says}
		for _, v := range variants {
			x := seen[v.name][c.name]
			if x == nil {
				t.Fatalf("%s, %s: was not run", v.name, c.name)
			}
			x.check(t, c, v)
			row = append(row, x.cell())
			prints.add(fingerprints{c.name: x.prints})
		}
		rows = append(rows, row)
	}
	return rows, prints
}

// seen is what an app did, and what is known of it.
type seen struct {
	made     int // what the app says, or PM2 of one that never begins
	groups   int
	counted  int // occurrences of the groups
	loki     int // of the records, as LogQL adds them up
	metric   int // what the agent's counter says
	ended    int // ends of processes, as PM2's log says
	ends     int // that arrived
	exits    int // what the agent's counter says
	reasons  map[string]int
	sources  map[source]int      // records
	prints   map[string]struct{} // fingerprints
	problems []string
}

// happens runs all causes in one variant and counts what has arrived.
func (s *store) happens(t *testing.T, major string, v variant) map[string]*seen {
	d := pm2test.New(t, pm2test.Options{Version: major, Env: []string{"PM2_WORKER_INTERVAL=1000"}})
	h := newHost(t, d, s, "host-"+v.bucket(), s.tokenFile(t, v.bucket()))
	stage, all := newStage(t), causes()
	specs := make([]pm2test.AppSpec, len(all))
	for i, c := range all {
		specs[i] = stage.app(c, v)
	}
	d.App(t, specs...)
	h.sees(len(all) * v.processes())
	stage.goes(t)
	for _, c := range all {
		s.settles(t, h, stage, c, v)
	}
	h.flush()
	out := map[string]*seen{}
	for _, c := range all {
		x := &seen{prints: map[string]struct{}{}}
		out[c.name] = x
		pm2test.Eventually(t, patience, func() error {
			x.groups, x.counted = 0, 0
			for _, g := range s.groups(t, v.bucket(), c.name) {
				x.groups++
				x.counted += int(g.Count)
			}
			x.made, x.ended = stage.made(t, h, c), h.ended(t, c.name)
			return x.complete(c, v)
		})
		x.metric, x.exits = h.sumOf(t, "pm2_app_exceptions_total", c.name), h.sumOf(t, "pm2_app_exits_total", c.name)
	}
	for app, n := range s.loki(t, `sum by (app) (sum_over_time({kind="exception", bucket="`+v.bucket()+`"} | unwrap occurrences [1h]))`, "app") {
		out[app].loki = n
	}
	for app, n := range s.loki(t, `sum by (app) (count_over_time({kind="exit", bucket="`+v.bucket()+`"}[1h]))`, "app") {
		out[app].ends = n
	}
	return out
}

// complete tells what is still missing.
func (x *seen) complete(c cause, v variant) error {
	if least, _ := x.wanted(c, v); x.counted < least {
		return fmt.Errorf("%s: %d of %d have arrived", c.name, x.counted, x.made)
	}
	return nil
}

// wanted is how many exceptions have to arrive, at least and at most: of what
// ends before it has begun nobody may be heard, where others tell of the same
// at the same moment.
func (x *seen) wanted(c cause, v variant) (least, most int) {
	switch {
	case len(c.titles) == 0 || c.source(v) == nobody:
		return 0, 0
	case c.script != "":
		return v.processes(), x.made
	}
	return x.made, x.made
}

// settles waits until an app has done all that it will do, and something of it
// has arrived.
func (s *store) settles(t *testing.T, h *host, stage *stage, c cause, v variant) {
	t.Helper()
	if slices.Contains(c.ends, "errored") {
		h.WaitStatus(t, c.name, "errored", v.processes())
	}
	pm2test.Eventually(t, patience, func() error {
		if n := stage.made(t, h, c); n < v.processes() {
			return fmt.Errorf("%s has done so %d times", c.name, n)
		}
		if len(c.ends) > 0 && h.ended(t, c.name) < v.processes() {
			return fmt.Errorf("%s has not ended", c.name)
		}
		if len(c.titles) > 0 && c.source(v) != nobody && len(s.groups(t, v.bucket(), c.name)) == 0 {
			return fmt.Errorf("nothing of %s has arrived", c.name)
		}
		if got, want := h.sumOf(t, "pm2_app_exits_total", c.name), h.ended(t, c.name); got != want {
			return fmt.Errorf("%s has ended %d times, the agent says %d", c.name, want, got)
		}
		return nil
	})
}

// made is how often it happened.
func (s *stage) made(t *testing.T, h *host, c cause) int {
	if c.script != "" { // it never begins: by how often PM2 tried
		return h.ended(t, c.name)
	}
	return s.done(c)
}

// ended is how often processes of an app have ended, as PM2's log says.
func (h *host) ended(t *testing.T, app string) (n int) {
	t.Helper()
	b, err := os.ReadFile(h.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if strings.Contains(line, "App ["+app+":") && strings.Contains(line, "] exited with code [") {
			n++
		}
	}
	return n
}

// sees waits until the agent knows all processes.
func (h *host) sees(processes int) {
	h.t.Helper()
	pm2test.Eventually(h.t, patience, func() error {
		list, err := h.List(context.Background())
		if err == nil && len(list) != processes {
			err = fmt.Errorf("PM2 has %d processes, want %d", len(list), processes)
		}
		if err != nil {
			return err
		}
		got, err := h.metric("pm2_process_restarts_total")
		if err == nil && len(got) != processes {
			err = errors.New("the agent does not know all")
		}
		return err
	})
}

// cell is what the table says: what was made, what arrived of it, and from
// whom.
func (x *seen) cell() string {
	parts := []string{}
	if len(x.sources) > 0 {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(x.sources)) {
			names = append(names, string(name))
		}
		parts = append(parts, fmt.Sprintf("%d → %d (%s)", x.made, x.counted, strings.Join(names, ", ")))
	} else if len(x.reasons) == 0 {
		parts = append(parts, fmt.Sprintf("%d → %d", x.made, x.counted))
	}
	if len(x.reasons) > 0 {
		var names []string
		for _, name := range slices.Sorted(maps.Keys(x.reasons)) {
			names = append(names, fmt.Sprintf("%s %d", name, x.reasons[name]))
		}
		parts = append(parts, fmt.Sprintf("ends %d → %d (%s)", x.ended, x.ends, strings.Join(names, ", ")))
	}
	return strings.Join(parts, "; ")
}
