package watch

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/procfs"
)

func crash(id int) string { return pm2fake.Exited(fmt.Sprint("app", id), id, 1, "SIGINT") }
func begin(id int) string { return fmt.Sprintf("App [app%d:%d] starting in -fork mode-", id, id) }

func (w *watching) wantExits(t *testing.T, what string, n uint64) {
	t.Helper()
	if got := w.exits(); got != n {
		t.Errorf("%s: %d ends are counted, want %d", what, got, n)
	}
}

func TestEndsAreCountedOnce(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		for range 5 {
			d.Log(crash(0))
			d.Log(begin(0))
		}
		pass(3 * time.Second)
		w.wantExits(t, "in the file and on the bus", 5)

		d.WriteLog(crash(1))
		pass(5 * time.Second) // the file is read without the bus
		w.wantExits(t, "in the file", 6)
		d.PublishRaw(pm2fake.LogFrame(crash(1)))
		pass(5 * time.Second)
		w.wantExits(t, "in the file, then on the bus", 6)

		d.PublishRaw(pm2fake.LogFrame(crash(2)))
		pass(20 * time.Millisecond)
		d.WriteLog(crash(2))
		pass(5 * time.Second)
		w.wantExits(t, "on the bus, then in the file", 7)
	})
}

// TestWithoutLog: pm2-runtime writes no pm2.log, so the bus has to do.
func TestWithoutLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := pm2fake.NewInMemory(t)
		d.SetList(apps(3))
		w := follow(t, d, nil)
		pass(time.Second)
		for range 4 {
			d.PublishRaw(pm2fake.LogFrame(crash(0)))
			d.PublishRaw(pm2fake.LogFrame(begin(0)))
			pass(3 * time.Second)
		}
		w.wantExits(t, "one by one", 4)
		for range 4 {
			d.PublishRaw(pm2fake.LogFrame(crash(1)))
			d.PublishRaw(pm2fake.LogFrame(begin(1)))
		}
		pass(3 * time.Second)
		w.wantExits(t, "all at once", 8)
		// It ends its apps and is gone right after.
		d.PublishRaw(pm2fake.LogFrame("Stopping app:app2 id:2"))
		d.PublishRaw(pm2fake.LogFrame(pm2fake.Exited("app2", 2, 0, "SIGINT")))
		synctest.Wait()
		d.Drop()
		pass(5 * time.Second)
		w.wantExits(t, "right before the end", 9)
	})
}

// TestBusThenRestart: what was taken from the bus is not taken from a file that
// fills up later, nor counted again as restarts that nobody saw.
func TestBusThenRestart(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		for range 3 {
			d.PublishRaw(pm2fake.LogFrame(crash(0)))
			d.PublishRaw(pm2fake.LogFrame(begin(0)))
		}
		pass(3 * time.Second)
		w.wantExits(t, "on the bus", 3)
		for range 3 {
			d.WriteLog(crash(0))
			d.WriteLog(begin(0))
		}
		pass(5 * time.Second)
		d.Drop()
		pass(10 * time.Second)
		w.wantExits(t, "after a lost connection", 3)
		w.end()
		state := w.Save()
		w = follow(t, d, func(o *Options) { o.State = &state })
		pass(30 * time.Second)
		w.wantExits(t, "after a restart of the agent", 3)
	})
}

// TestAfterAGapEndsAreCountedSoon: lines that were read from the file while
// nobody was connected look like those that come after.
func TestAfterAGapEndsAreCountedSoon(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		d.Down()
		for range 4 {
			d.WriteLog(crash(0))
			d.WriteLog(begin(0))
		}
		pass(10 * time.Second)
		d.Up()
		pass(backoffMax)
		w.wantExits(t, "while away", 4)
		// A chatty bus, so that there is never a quiet moment.
		chat := func(n int) {
			for range n {
				d.Publish("log:out", map[string]any{"process": pm2fake.Process("app1", 1), "data": "x\n"})
				pass(100 * time.Millisecond)
			}
		}
		d.Log(crash(0))
		d.Log(begin(0))
		chat(50)
		w.wantExits(t, "5 s after the end", 5)
	})
}

// nobody is a host on which nothing runs any more.
type nobody struct{ onlyDaemon }

func (nobody) Read(int, time.Time, time.Time) (procfs.Sample, error) {
	return procfs.Sample{}, procfs.ErrGone
}

// TestNewDaemonBeforeWeAreBack: what a new daemon has started already is not
// taken for what the old one left.
func TestNewDaemonBeforeWeAreBack(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, func(o *Options) { o.Proc = nobody{} })
		pass(time.Second)
		d.Down()
		d.WriteLog("--- New PM2 Daemon started -----------------------------")
		d.WriteLog(begin(0))
		pass(10 * time.Second)
		ends := uint64(0)
		w.Ledger(func(l *ledger.Ledger) {
			for _, n := range l.App(ledger.AppKey{Namespace: "default", App: "app0"}).Exits {
				ends += n
			}
		})
		if ends != 1 {
			t.Errorf("%d ends of the old daemon's process, want 1", ends)
		}
	})
}

// TestForgedLog: an app can put any topic on the bus, but not speak for PM2.
func TestForgedLog(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		for range 5 {
			d.Publish("log:PM2", map[string]any{"process": pm2fake.Process("app1", 1), "data": crash(0) + "\n"})
		}
		pass(5 * time.Second)
		w.wantExits(t, "forged", 0)
	})
}

// TestLongLinesAndGarbageInLog: what else lands in pm2.log.
func TestLongLinesAndGarbageInLog(t *testing.T) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		w := follow(t, d, nil)
		pass(time.Second)
		f, err := os.OpenFile(filepath.Join(d.Home(), "pm2.log"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprintf(f, "%s\n\x00\xff\xfe\n\n%s", strings.Repeat("x", 1<<20), "half a line")
		fmt.Fprintln(f)
		d.Log(crash(0))
		pass(5 * time.Second)
		w.wantExits(t, "after garbage", 1)
	})
}

// TestAnyOrder delivers the lines of many ends in the file and on the bus with
// random delays between the two, random silence, noise, lost connections and
// restarts of the agent. Each end counts exactly once.
func TestAnyOrder(t *testing.T) {
	rounds := 200
	if testing.Short() {
		rounds = 30
	}
	for seed := range rounds {
		anyOrder(t, uint64(seed))
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

func anyOrder(t *testing.T, seed uint64) {
	bubble(t, func(t *testing.T, d *pm2fake.Daemon) {
		r := rand.New(rand.NewPCG(seed, 25))
		w := follow(t, d, nil)
		pass(time.Second)
		ends, up := uint64(0), true
		var history []string
		note := func(what string) { history = append(history, time.Now().Format("05.000 ")+what) }
		toFile := func(line string) { note("file: " + line); d.WriteLog(line) }
		toBus := func(line string) { note("bus: " + line); d.PublishRaw(pm2fake.LogFrame(line)) }
		sometimes := func() {
			if r.IntN(8) == 0 {
				note("drop")
				d.Drop()
			}
		}
		// PM2 writes a line and announces it at about the same time.
		batch := func() {
			var lines []string
			for range 1 + r.IntN(4) {
				id := r.IntN(3)
				lines = append(lines, crash(id), begin(id))
				ends++
			}
			first, second := toFile, toBus
			busFirst := r.IntN(4) == 0
			if busFirst {
				first, second = toBus, toFile
			}
			if r.IntN(2) == 0 {
				for _, line := range lines {
					first(line)
					second(line)
				}
				return
			}
			for _, line := range lines {
				first(line)
			}
			if busFirst {
				// PM2 writes in the same turn of its loop.
				pass(time.Duration(r.IntN(20)) * time.Millisecond)
			} else {
				sometimes()
				pass(time.Duration(r.IntN(5000)) * time.Millisecond)
			}
			for _, line := range lines {
				second(line)
				sometimes()
			}
		}
		for range 40 {
			switch r.IntN(9) {
			case 0, 1, 2, 3:
				batch()
			case 4:
				pass(time.Duration(r.IntN(4000)) * time.Millisecond)
			case 5:
				for range r.IntN(30) {
					d.Publish("log:out", map[string]any{"process": pm2fake.Process("app1", 1), "data": "x\n"})
					pass(100 * time.Millisecond)
				}
			case 6:
				d.Publish("process:event", map[string]any{"event": "exit", "process": pm2fake.Process("app0", 0)})
				w.view(time.Second)
			case 7:
				if up = !up; up {
					note("up")
					d.Up()
				} else {
					note("down")
					d.Down()
				}
			case 8:
				note("restart of the agent")
				w.end()
				state := w.Save()
				pass(time.Duration(r.IntN(2000)) * time.Millisecond)
				w = follow(t, d, func(o *Options) { o.State = &state })
			}
		}
		d.Up()
		pass(30 * time.Second)
		if got := w.exits(); got != ends {
			t.Errorf("%d ends, %d counted\n%s", ends, got, strings.Join(history, "\n"))
		}
		w.Ledger(func(l *ledger.Ledger) {
			if gaps := w.stats.LogGaps; gaps > 0 {
				t.Errorf("%d gaps", gaps)
			}
		})
	})
}
