//go:build storebench

package storebench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
)

// lokiConfig is a Loki of one process, as its documents set one up, that keeps
// all that it is sent. Its WAL is on, which is the default.
const lokiConfig = `
auth_enabled: false
server: {http_listen_address: 127.0.0.1, http_listen_port: %[1]d, grpc_listen_address: 127.0.0.1, grpc_listen_port: %[2]d, log_level: error}
common:
  path_prefix: %[3]s
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring: {instance_addr: 127.0.0.1, kvstore: {store: inmemory}}
  storage:
    filesystem: {chunks_directory: %[3]s/chunks, rules_directory: %[3]s/rules}
schema_config:
  configs:
    - {from: 2020-01-01, store: tsdb, object_store: filesystem, schema: v13, index: {prefix: index_, period: 24h}}
limits_config:
  discover_log_levels: false
  discover_service_name: []
  allow_structured_metadata: true
  ingestion_rate_mb: 1000
  ingestion_burst_size_mb: 1000
  per_stream_rate_limit: 1GB
  per_stream_rate_limit_burst: 1GB
ingester:
  lifecycler: {min_ready_duration: 0s, final_sleep: 0s}
  wal: {enabled: true, flush_on_shutdown: true}
# On a busy machine it would lose the connection to itself.
ingester_client: {remote_timeout: 1m, pool_config: {health_check_ingesters: false}}
distributor: {rate_store: {ingester_request_timeout: 1m}}
analytics: {reporting_enabled: false}
`

type loki struct {
	dir, base string
	cmd       *exec.Cmd
	said      bytes.Buffer
	again     atomic.Int64 // pushes that were sent again
}

// startLoki runs the program that LOKI names.
func startLoki(t *testing.T, dir string) *loki {
	t.Helper()
	program := os.Getenv("LOKI")
	if program == "" {
		t.Fatal("LOKI has to name the program: make bench-store does")
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	port, grpc := freePort(t), freePort(t)
	config := filepath.Join(dir, "loki.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, lokiConfig, port, grpc, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &loki{dir: dir, base: fmt.Sprintf("http://127.0.0.1:%d", port), cmd: exec.Command(program, "-config.file="+config)}
	l.cmd.Stdout, l.cmd.Stderr, l.cmd.Dir = &l.said, &l.said, dir
	if err := l.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.cmd.Process.Kill() // it has ended if all went well
		_ = l.cmd.Wait()
		if t.Failed() {
			t.Logf("Loki said:\n%s", l.said.String()[max(0, l.said.Len()-3000):])
		}
		_ = os.RemoveAll(dir)
	})
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(200 * time.Millisecond) { // there is no event to wait for
		if r, err := http.Get(l.base + "/ready"); err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return l
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("Loki was not ready in time")
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// cpuTime is what Loki has used so far, to a hundredth of a second.
func (l *loki) cpuTime(t *testing.T) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", l.cmd.Process.Pid))
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
			err = post(l.base+"/loki/api/v1/push", "", body, func(status int, _ []byte) bool { return status == http.StatusNoContent })
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
	if err := l.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := l.cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d pushes to Loki had to be sent again", l.again.Load())
	after := l.cmd.ProcessState.UserTime() + l.cmd.ProcessState.SystemTime()
	for _, entry := range []string{"chunks", "tsdb-shipper-active", "tsdb-shipper-cache"} {
		_ = filepath.WalkDir(filepath.Join(l.dir, entry), func(_ string, d fs.DirEntry, err error) error {
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
