//go:build storebench

package storebench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/lokitest"
	"github.com/pm25/pm25/internal/record"
)

type loki struct {
	*lokitest.Loki
	again atomic.Int64 // pushes that were sent again
}

// startLoki empties dir before and after, since it may be a folder that stays.
func startLoki(t *testing.T, dir string) *loki {
	t.Helper()
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return &loki{Loki: lokitest.Start(t, dir)}
}

// cpuTime is what Loki has used so far, to a hundredth of a second.
func (l *loki) cpuTime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// lokiBody is the same records for Loki: with the labels and the metadata that
// our read API shows, and all of the record as the line.
func lokiBody(t *testing.T, records []*record.Record) []byte {
	t.Helper()
	type stream struct {
		Stream map[string]string `json:"stream"`
		Values [][3]any          `json:"values"`
	}
	streams := map[string]*stream{}
	for _, r := range records {
		pairs := r.StreamLabels("main")
		key := fmt.Sprint(pairs)
		s := streams[key]
		if s == nil {
			s = &stream{Stream: map[string]string{}}
			for _, p := range pairs {
				s.Stream[p.Name] = p.Value
			}
			streams[key] = s
		}
		metadata := map[string]string{}
		for _, p := range r.Metadata() {
			metadata[p.Name] = p.Value
		}
		line, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		s.Values = append(s.Values, [3]any{strconv.FormatInt(r.At, 10), string(line), metadata})
	}
	var all []*stream
	for _, s := range streams {
		all = append(all, s)
	}
	body, err := json.Marshal(map[string]any{"streams": all})
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func (b *batches) pushLoki(t *testing.T, l *loki) turn {
	t.Helper()
	cpu := l.cpuTime(t)
	u := sendAll(t, b.loki, func(body []byte) (err error) {
		for range 10 { // as its agents do
			err = post(l.URL+"/loki/api/v1/push", "", body, func(status int, _ []byte) bool { return status == http.StatusNoContent })
			if err == nil {
				break
			}
			l.again.Add(1)
		}
		return err
	})
	u.cpu = l.cpuTime(t) - cpu
	return u
}

// stop ends Loki after it has written its chunks, and returns what that and all
// else after the pushes took of the CPU, in microseconds a record, and bytes of
// chunks and index a record.
func (l *loki) stop(t *testing.T, records float64) (later, bytes float64) {
	t.Helper()
	before := l.cpuTime(t)
	if err := l.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := l.Cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pushes to Loki had to be sent again", l.again.Load())
	after := l.Cmd.ProcessState.UserTime() + l.Cmd.ProcessState.SystemTime()
	for _, entry := range []string{"chunks", "tsdb-shipper-active", "tsdb-shipper-cache"} {
		_ = filepath.WalkDir(filepath.Join(l.Dir, entry), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				if info, err := d.Info(); err == nil {
					bytes += float64(info.Size())
				}
			}
			return nil
		})
	}
	return float64((after - before).Microseconds()) / records, bytes / records
}
