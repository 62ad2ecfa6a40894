package sqlite

import (
	"bufio"
	"database/sql/driver"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// testRecord is an exception or an event; bug says of which group.
func testRecord(at time.Time, bug int) *record.Record {
	r := &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Event, Host: "web-1", Daemon: "deploy", Namespace: "default", App: "api", PMID: 1, PID: 100,
		Started: 1_700_000_000_000, Version: "1.0.0", Level: record.LevelError, Source: record.FromExt,
	}
	if bug < 0 {
		r.Event = &record.EventInfo{Name: "paid", Data: []byte(`{"text":"` + strings.Repeat("words and words ", 60) + `"}`)}
		return r
	}
	r.Kind = record.Exception
	r.Exception = &record.ExceptionInfo{
		Fingerprint: fmt.Sprintf("%064x", bug), Algo: 1, Title: fmt.Sprint("Error: bug ", bug), Name: "Error", Message: fmt.Sprint("bug ", bug), Mechanism: record.Uncaught,
		Stack: strings.Repeat("    at handler (routes/users.js:12:7)\n", 20),
	}
	return r
}

func everything() sessionstore.Selection {
	return sessionstore.Selection{Start: math.MinInt64 / 2, End: math.MaxInt64 / 2}
}

// TestKilled kills a process that pushes from several goroutines, again and
// again, always into the same file: what it was told is stored is there, once,
// and the counts of groups are those of the records.
func TestKilled(t *testing.T) {
	if path := os.Getenv("PM25_TEST_CRASH"); path != "" {
		pushForever(t, path)
		return
	}
	rounds := 12
	if testing.Short() {
		rounds = 3
	}
	path := filepath.Join(t.TempDir(), "pm25.db")
	told := map[string]bool{}
	for round := range rounds {
		for _, id := range killedChild(t, path, 1+rand.IntN(60)) {
			told[id] = true
		}
		if _, err := os.Stat(path + "-wal"); err != nil {
			t.Fatalf("no WAL is left after a kill: %v", err)
		}
		checkKilled(t, path, told, round)
	}
}

// killedChild returns the ids that a child was told are stored before it was
// killed, which is after so many acknowledgements.
func killedChild(t *testing.T, path string, acks int) (ids []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "PM25_TEST_CRASH="+path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	ok(t, err)
	ok(t, cmd.Start())
	lines := bufio.NewScanner(out)
	for n := 0; lines.Scan(); n++ {
		if n == acks {
			ok(t, cmd.Process.Kill())
		}
		if rest, whole := strings.CutSuffix(lines.Text(), " ok"); whole {
			ids = append(ids, strings.Fields(rest)...)
		}
	}
	if err := cmd.Wait(); err == nil || len(ids) == 0 {
		t.Fatalf("the child ended by itself, or stored nothing: %v", err)
	}
	return ids
}

func pushForever(t *testing.T, path string) {
	s, err := Open(Options{Path: path})
	ok(t, err)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for {
				var batch []*record.Record
				var line strings.Builder
				for i := range 1 + rand.IntN(30) {
					r := testRecord(time.Now(), i%5-1)
					batch = append(batch, r)
					line.WriteString(r.ID + " ")
				}
				if _, _, err := s.Push(t.Context(), "main", record.Agent{Host: fmt.Sprint("h", g)}, batch); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				_, _ = os.Stdout.WriteString(line.String() + "ok\n")
			}
		})
	}
	wg.Wait()
}

func checkKilled(t *testing.T, path string, told map[string]bool, round int) {
	t.Helper()
	s, err := Open(Options{Path: path})
	ok(t, err)
	defer s.Close()
	stored := map[string]bool{}
	exceptions := map[string]uint64{}
	ok(t, s.Entries(t.Context(), everything(), func(e *sessionstore.Entry) bool {
		if stored[e.ID] {
			t.Errorf("round %d: record %s is there twice", round, e.ID)
		}
		stored[e.ID] = true
		for _, p := range e.Metadata {
			if p.Name == "fingerprint" && e.Stream.Labels.Get("kind") == "exception" {
				exceptions[p.Value]++
			}
		}
		return true
	}))
	missing := 0
	for id := range told {
		if !stored[id] {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("round %d: %d of %d acknowledged records are missing", round, missing, len(told))
	}
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{})
	ok(t, err)
	for _, g := range groups {
		if g.Count != exceptions[g.Fingerprint] {
			t.Errorf("round %d: group %s counts %d, there are %d records", round, g.ID, g.Count, exceptions[g.Fingerprint])
		}
	}
	report, err := s.Check(t.Context(), false)
	if err != nil || len(report.Problems) > 0 || report.Records != int64(len(stored)) || len(groups) == 0 {
		t.Errorf("round %d: %+v, %v", round, report, err)
	}
}

// TestSynced makes sure that each commit is synced: a WAL that is not would
// survive a kill, and not a power failure.
func TestSynced(t *testing.T) {
	s := openTest(t, Options{})
	for _, want := range []struct {
		pragma string
		value  driver.Value
	}{{"PRAGMA journal_mode", "wal"}, {"PRAGMA synchronous", int64(2)}, {"PRAGMA auto_vacuum", int64(2)}} {
		ok(t, s.w.query(want.pragma, nil, func(v []driver.Value) error {
			if v[0] != want.value {
				t.Errorf("%s is %v, want %v", want.pragma, v[0], want.value)
			}
			return nil
		}))
	}
}
