//go:build oracle

package lokiapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// lokiConfig is a Loki of one process that adds nothing to what is pushed.
const lokiConfig = `
auth_enabled: false
server:
  http_listen_address: 127.0.0.1
  http_listen_port: %[1]d
  grpc_listen_address: 127.0.0.1
  grpc_listen_port: %[2]d
  log_level: error
common:
  path_prefix: %[3]s
  replication_factor: 1
  instance_addr: 127.0.0.1
  ring:
    instance_addr: 127.0.0.1
    kvstore: {store: inmemory}
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
ingester:
  lifecycler: {min_ready_duration: 0s, final_sleep: 0s}
query_range: {cache_results: false}
analytics: {reporting_enabled: false}
`

// startLoki runs the real thing and returns its address.
func startLoki(t *testing.T) string {
	t.Helper()
	program := os.Getenv("LOKI")
	if program == "" {
		t.Fatal("LOKI has to name the program: make loki-conformance does")
	}
	dir := t.TempDir()
	port, grpc := freePort(t), freePort(t)
	config := filepath.Join(dir, "loki.yml")
	if err := os.WriteFile(config, fmt.Appendf(nil, lokiConfig, port, grpc, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, program, "-config.file="+config)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &said, &said, dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("Loki said:\n%s", said.String()[max(0, said.Len()-3000):])
		}
	})
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	deadline := time.Now().Add(90 * time.Second)
	for {
		r, err := http.Get(base + "/ready")
		if err == nil {
			_ = r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return base
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("Loki was not ready in time: %v", err)
		}
		time.Sleep(200 * time.Millisecond) // there is no event to wait for
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

// push gives all records to Loki.
func (w *world) push(t *testing.T) {
	t.Helper()
	var streams []*pushStream
	for _, p := range w.pushed {
		streams = append(streams, p)
	}
	body, err := json.Marshal(map[string]any{"streams": streams})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(w.loki+"/loki/api/v1/push", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		said, _ := io.ReadAll(r.Body)
		t.Fatalf("Loki took nothing: %s %s", r.Status, said)
	}
}

// ask returns the status and the answer of one of the two.
func (w *world) ask(t *testing.T, base, path string, header http.Header, params url.Values) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+"/loki/api/v1/"+path+"?"+params.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}
