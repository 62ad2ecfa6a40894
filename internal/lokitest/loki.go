// Package lokitest runs a real Loki for tests and benchmarks: one process on
// loopback that adds nothing to what is pushed, and keeps all of it.
package lokitest

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// config is as Loki's documents set up a single process. Its WAL is on, which
// is the default. The timeouts are for a busy machine, where Loki would lose the
// connection to itself.
const config = `
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
  reject_old_samples: false
  volume_enabled: true
  ingestion_rate_mb: 1000
  ingestion_burst_size_mb: 1000
  per_stream_rate_limit: 1GB
  per_stream_rate_limit_burst: 1GB
ingester:
  lifecycler: {min_ready_duration: 0s, final_sleep: 0s}
  wal: {enabled: true, flush_on_shutdown: true}
query_range: {cache_results: false}
ingester_client: {remote_timeout: 1m, pool_config: {health_check_ingesters: false}}
distributor: {rate_store: {ingester_request_timeout: 1m}}
analytics: {reporting_enabled: false}
`

// readyWithin is how long Loki may take to start on a busy machine.
const readyWithin = 2 * time.Minute

// Loki is a Loki that runs.
type Loki struct {
	Dir string // where it keeps everything
	URL string // what comes before /loki/api/v1
	Cmd *exec.Cmd
}

// Start runs the program that LOKI names in an empty folder until the test
// ends, and returns once it is ready.
func Start(t testing.TB, dir string) *Loki {
	t.Helper()
	program := os.Getenv("LOKI")
	if program == "" {
		t.Fatal("LOKI has to name the program, as make loki-conformance and make bench-store do")
	}
	port, grpc := pm2test.FreePort(t), pm2test.FreePort(t)
	file := filepath.Join(dir, "loki.yml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, port, grpc, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	l := &Loki{Dir: dir, URL: "http://127.0.0.1:" + strconv.Itoa(port), Cmd: exec.Command(program, "-config.file="+file)}
	var said bytes.Buffer
	l.Cmd.Stdout, l.Cmd.Stderr, l.Cmd.Dir = &said, &said, dir
	if err := l.Cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = l.Cmd.Process.Kill() // it may have ended
		_ = l.Cmd.Wait()
		if t.Failed() {
			t.Logf("Loki said:\n%s", said.String()[max(0, said.Len()-3000):])
		}
	})
	l.wait(t)
	return l
}

func (l *Loki) wait(t testing.TB) {
	t.Helper()
	for deadline := time.Now().Add(readyWithin); ; time.Sleep(200 * time.Millisecond) { // there is no event to wait for
		r, err := http.Get(l.URL + "/ready")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Loki was not ready in time: %v", err)
		}
	}
}
