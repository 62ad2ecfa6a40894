//go:build storebench

package storebench

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/server"
)

const (
	rounds   = 5
	perRound = 20_000 // records
	clients  = 8      // that push at the same time
	perPush  = 250    // records: 512 KiB of JSON, as agents send
)

// turn is what one way of storing took for the records of a round.
type turn struct {
	took, cpu time.Duration
	waited    time.Duration // of a push, on average
	load      float64       // of the machine, in the minute before its end
}

func (u turn) perSecond() float64 { return perRound / u.took.Seconds() }

func (u turn) micros() float64 { return float64(u.cpu.Microseconds()) / perRound }

// TestIngest takes turns: pushes over HTTP, inserts of the same rows, pushes to
// Loki. What else the machine does meets all of them.
func TestIngest(t *testing.T) {
	dir := folder(t)
	loki := startLoki(t, filepath.Join(dir, "loki"))
	var rows [][]any
	var jsonBytes, fileBytes int64
	turns := map[string][]turn{}
	ways := []string{"ours", "raw", "small", "loki"}
	for round := range rounds + 1 {
		b := newBatches(t, time.Now())
		for i := range ways {
			switch way := ways[(round+i)%len(ways)]; way {
			case "ours":
				u, size, stored := b.push(t, filepath.Join(dir, "ingest.db"), rows == nil)
				if rows == nil { // the first time is for the rows, and to warm up
					rows, jsonBytes, fileBytes = stored, b.json, size
					continue
				}
				turns[way] = append(turns[way], u)
			case "raw":
				if round > 0 {
					turns[way] = append(turns[way], raw(t, filepath.Join(dir, "raw.db"), rows, clients*perPush))
				}
			case "small":
				if round > 0 {
					turns[way] = append(turns[way], raw(t, filepath.Join(dir, "raw.db"), rows, perPush))
				}
			case "loki":
				if u := b.pushLoki(t, loki); round > 0 {
					turns[way] = append(turns[way], u)
				}
			}
		}
	}
	later, lokiBytes := loki.stop(t, (rounds+1)*perRound)
	report(t, turns, later, []float64{float64(jsonBytes) / perRound, float64(fileBytes) / perRound, lokiBytes})
}

func report(t *testing.T, turns map[string][]turn, later float64, sizes []float64) {
	for way, of := range turns {
		for _, u := range of {
			t.Logf("%s: %.0f records/s, %.1f µs of CPU a record, %s a push", way, u.perSecond(), u.micros(), u.waited.Round(time.Millisecond))
		}
	}
	table := doctable.New("", "records a second", "of raw inserts", "µs of CPU a record", "bytes a record on disk", "on the disk when acknowledged", "load of the machine")
	add := func(name, way string, size, later float64, durable string) {
		speed := pick(turns[way], turn.perSecond)
		ratios := make([]float64, rounds)
		for i := range ratios {
			ratios[i] = turns[way][i].perSecond() / turns["raw"][i].perSecond()
		}
		cpu := pick(turns[way], turn.micros)
		slices.Sort(ratios)
		table.Add(name, fmt.Sprintf("%.0f (%.0f to %.0f)", speed[rounds/2], speed[0], speed[rounds-1]), fmt.Sprintf("%.0f %%", 100*ratios[rounds/2]), fmt.Sprintf("%.0f", cpu[rounds/2]+later), fmt.Sprintf("%.0f", size), durable, fmt.Sprintf("%.0f", pick(turns[way], func(u turn) float64 { return u.load })[rounds/2]))
	}
	add("PM25: HTTP, token, gzip, checks, groups, runs, commit", "ours", sizes[1], 0, "synced")
	add(fmt.Sprintf("raw inserts of the same rows, in commits of %d", clients*perPush), "raw", sizes[1], 0, "synced")
	add(fmt.Sprintf("raw inserts of the same rows, a commit for each %d", perPush), "small", sizes[1], 0, "synced")
	add("Loki: HTTP, gzip, WAL", "loki", sizes[2], later, "written, not synced")
	doc.Write(t, "ingest", table)
	t.Logf("a record is %.0f bytes of JSON; load of the machine at the end: %.0f on %d CPUs", sizes[0], load(), runtime.NumCPU())
}

// load is how many processes ran or waited in the minute before.
func load() (n float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &n)
	return n
}

// pick returns a number of all turns, sorted.
func pick(of []turn, number func(turn) float64) (out []float64) {
	for _, u := range of {
		out = append(out, number(u))
	}
	slices.Sort(out)
	return out
}

// batches are bodies that are ready to be sent.
type batches struct {
	ours, loki [][]byte // gzip
	json       int64    // bytes of all records
}

// newBatches makes the records of a round, of the minutes before now: each batch
// of one host, as agents send them.
func newBatches(t *testing.T, now time.Time) *batches {
	t.Helper()
	b := &batches{}
	w := &workload{records: perRound, end: now, span: 10 * time.Minute}
	for first := 0; first < perRound; first += perPush {
		batch := record.Batch{V: record.Version, Agent: record.Agent{Host: fmt.Sprintf("web-%02d", first/perPush%hosts), Version: "1.0.0"}}
		for i := first; i < first+perPush; i++ {
			r := w.record(i)
			r.Host = batch.Agent.Host
			batch.Records = append(batch.Records, r)
		}
		body, err := json.Marshal(batch)
		if err != nil {
			t.Fatal(err)
		}
		b.json += int64(len(body))
		b.ours, b.loki = append(b.ours, zipped(t, body)), append(b.loki, zipped(t, lokiBody(t, batch.Records)))
	}
	runtime.GC() // not on the account of who comes next
	return b
}

func zipped(t *testing.T, body []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// push sends the batches to a server with an empty store. CPU is that of server
// and clients.
func (b *batches) push(t *testing.T, path string, wantRows bool) (u turn, size int64, rows [][]any) {
	t.Helper()
	removeStore(path)
	t.Run("push", func(t *testing.T) {
		s := open(t, path)
		_, token, err := s.CreateBucket(t.Context(), "main")
		if err != nil {
			t.Fatal(err)
		}
		api, err := server.New(server.Options{
			Store: s, Changing: func(h http.Handler) http.Handler { return h }, Who: func(context.Context) (string, bool) { return "", false },
			Limits: server.Limits{RecordsPerSecond: -1, BytesPerSecond: -1}, Registry: prometheus.NewRegistry(), Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		})
		if err != nil {
			t.Fatal(err)
		}
		listener := httptest.NewServer(api.Handler())
		defer listener.Close()
		cpu := cpuTime()
		u = sendAll(t, b.ours, func(body []byte) error {
			return post(listener.URL+"/api/v1/push", token, body, func(status int, answer []byte) bool {
				return status == http.StatusOK && bytes.HasPrefix(answer, fmt.Appendf(nil, `{"stored":%d,`, perPush))
			})
		})
		u.cpu = cpuTime() - cpu
	})
	if info, err := os.Stat(path); err == nil {
		size = info.Size()
	}
	if wantRows {
		rows = readRows(t, path)
	}
	removeStore(path)
	return u, size, rows
}

func removeStore(path string) {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(path + suffix)
	}
}

// sendAll sends the bodies from several clients.
func sendAll(t *testing.T, bodies [][]byte, send func([]byte) error) turn {
	t.Helper()
	var next, waited atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, clients)
	began := time.Now()
	for c := range clients {
		wg.Go(func() {
			for errs[c] == nil {
				i := int(next.Add(1)) - 1
				if i >= len(bodies) {
					return
				}
				start := time.Now()
				errs[c] = send(bodies[i])
				waited.Add(int64(time.Since(start)))
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return turn{took: time.Since(began), waited: time.Duration(waited.Load()) / time.Duration(len(bodies)), load: load()}
}

func post(address, token string, body []byte, good func(status int, answer []byte) bool) error {
	r, err := http.NewRequest(http.MethodPost, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Content-Encoding", "gzip")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && !good(response.StatusCode, answer) {
		err = fmt.Errorf("%s %.300s", response.Status, answer)
	}
	return err
}
