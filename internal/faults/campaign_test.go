//go:build faults

package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/sessionstore"
	"github.com/pm25/pm25/sessionstore/sqlite"
)

// fault is something that goes wrong while records are on their way.
type fault struct {
	name  string
	disks bool // needs disks that can be filled
	run   func(w *world)
}

var faults = []fault{
	{name: "agent killed", run: func(w *world) {
		w.killProducer()
		w.startProducer()
	}},
	{name: "server killed", run: func(w *world) {
		w.server.Kill()
		w.startServer()
	}},
	{name: "both killed", run: func(w *world) {
		w.server.Kill()
		w.killProducer()
		w.startServer()
		w.startProducer()
	}},
	{name: "server away", run: func(w *world) {
		w.server.Kill()
		pause(1000, 3000)
		w.startServer()
	}},
	{name: "network cut and repeated", run: func(w *world) {
		w.network.Bad(true)
		pause(300, 1500)
		w.network.Bad(false)
	}},
	{name: "last segment torn", run: func(w *world) {
		w.killProducer()
		w.tear()
		w.startProducer()
	}},
	{name: "server's disk full", disks: true, run: func(w *world) {
		w.fill(w.serverDir)
		if rand.IntN(10) > 0 { // seldom to its end: it waits for half a minute, as the server has told it
			w.killProducer()
			w.startProducer()
		}
	}},
	{name: "agent's disk full", disks: true, run: func(w *world) { w.fill(w.agentDir) }},
	{name: "killed on a full disk", disks: true, run: func(w *world) {
		w.fill(w.agentDir, w.killProducer, w.startProducer)
		w.fill(w.serverDir, func() {
			w.server.Kill()
			w.killProducer() // or it would wait for as long as the server has told it
		})
		w.startServer()
		w.startProducer()
	}},
}

// outcome is what came of the rounds with one fault.
type outcome struct {
	rounds                         int
	acknowledged, stored, lost     int
	unacknowledged, strange, wrong int
}

// TestCampaign makes something go wrong in each round, and then lets all that is
// spooled get to the store. What the spool has acknowledged has to be there,
// once, and be counted in its group once; what it has not may be there or not.
func TestCampaign(t *testing.T) {
	rounds := 20
	if text := os.Getenv("PM25_FAULT_ROUNDS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			t.Fatalf("PM25_FAULT_ROUNDS=%s: it has to be a number of rounds for each fault", text)
		}
		rounds = n
	}
	outcomes := map[string]*outcome{}
	for _, f := range faults {
		outcomes[f.name] = &outcome{}
	}
	t.Run("with", func(t *testing.T) {
		for _, f := range faults {
			t.Run(f.name, func(t *testing.T) {
				t.Parallel()
				repeat(t, f, rounds, outcomes[f.name])
			})
		}
	})
	table := doctable.New("fault", "rounds", "acknowledged by the spool", "of them in the store", "lost", "there twice", "counted wrongly", "not acknowledged, in the store all the same")
	for _, f := range faults {
		if o := outcomes[f.name]; o.rounds > 0 {
			table.Add(f.name, o.rounds, o.acknowledged, o.stored, o.lost, o.strange, o.wrong, o.unacknowledged)
		}
	}
	doc.Write(t, "campaign", table)
}

var doc = doctable.Doc{Path: "../../docs/faults.md", Env: "PM25_FAULTS_WRITE"}

func repeat(t *testing.T, f fault, rounds int, o *outcome) {
	w := newWorld(t)
	if f.disks && !w.disks {
		t.Skip("skipped: only root can mount a file system")
	}
	for o.rounds < rounds && !t.Failed() {
		w.round(f, o)
		if o.rounds%10 == 0 {
			t.Logf("%d of %d rounds", o.rounds, rounds)
		}
	}
}

func (w *world) round(f fault, o *outcome) {
	began := time.Now()
	_ = os.Remove(w.book)
	w.startProducer()
	pause(50, 300)
	f.run(w)
	pause(50, 200)
	w.drain()
	w.inspect(func(s *sqlite.Store) { w.compare(s, began, o) })
	w.startServer()
	o.rounds++
}

// compare looks for what was put since began.
func (w *world) compare(s *sqlite.Store, began time.Time, o *outcome) {
	book := w.readBook()
	seen := map[string]int{}
	err := s.Entries(w.t.Context(), everything(began), func(e *sessionstore.Entry) bool {
		if e.Stream.Labels.Get("kind") != "group" {
			seen[e.ID]++
		}
		return true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for id, n := range book {
		switch times := seen[id]; {
		case n.acknowledged && times == 0:
			o.acknowledged++
			o.lost++
			w.t.Errorf("record %s was acknowledged, and is not there", id)
		case n.acknowledged:
			o.acknowledged++
			o.stored++
		case times > 0:
			o.unacknowledged++
		}
	}
	for id, times := range seen {
		if _, ok := book[id]; !ok || times > 1 {
			o.strange++
			w.t.Errorf("record %s is there %d times, known: %t", id, times, ok)
		}
	}
	w.compareGroups(s, book, seen, o)
	report, err := s.Check(w.t.Context(), false)
	if err != nil || !report.Sound() {
		w.t.Errorf("the store: %+v, %v", report, err)
	}
}

// compareGroups adds up what is counted of each bug in this round.
func (w *world) compareGroups(s *sqlite.Store, book map[string]noted, seen map[string]int, o *outcome) {
	want := map[string]uint64{}
	for id := range seen {
		if n := book[id]; n.bug >= 0 {
			want[fmt.Sprintf("Error: bug %d", n.bug)] += n.count
		}
	}
	groups, err := s.Groups(w.t.Context(), sessionstore.GroupQuery{Limit: 100})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, g := range groups {
		if got := g.Count - w.counted[g.Title]; got != want[g.Title] {
			o.wrong++
			w.t.Errorf("%s was counted %d times, want %d", g.Title, got, want[g.Title])
		}
		w.counted[g.Title] = g.Count
	}
}

func pause(least, most int) {
	time.Sleep(time.Duration(least+rand.IntN(most-least)) * time.Millisecond)
}

// tear leaves the beginning of a record at the end of the newest segment, as a
// write does that a power cut ends.
func (w *world) tear() {
	segments, err := filepath.Glob(filepath.Join(w.spool(), "*.seg"))
	if err != nil {
		w.t.Fatal(err)
	}
	if len(segments) == 0 {
		return // all was acknowledged
	}
	last := segments[len(segments)-1]
	data, err := os.ReadFile(last)
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := os.OpenFile(last, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	const header = len("pm25 spool 0001\n")
	torn := data[min(header, len(data)):]
	torn = torn[:min(len(torn), 1+rand.IntN(300))]
	if rand.IntN(3) == 0 {
		torn = make([]byte, 4096) // what a file system may leave
	}
	if _, err := f.Write(torn); err != nil {
		w.t.Fatal(err)
	}
}

// fill takes all room of a disk for a moment, in which more may happen.
func (w *world) fill(dir string, more ...func()) {
	name := filepath.Join(dir, "ballast")
	f, err := os.Create(name)
	if err != nil {
		w.t.Fatal(err)
	}
	defer f.Close()
	var full error
	for _, size := range []int{1 << 20, 4096, 1} {
		for block := make([]byte, size); full == nil; {
			_, full = f.Write(block)
		}
		if !errors.Is(full, syscall.ENOSPC) {
			w.t.Fatal(full)
		}
		full = nil
	}
	pause(100, 600)
	for _, happens := range more {
		happens()
	}
	if err := os.Remove(name); err != nil {
		w.t.Fatal(err)
	}
}
