package ship

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/record"
)

const secret = "pm25_test_0123456789abcdef"

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// numbered is a record that its message tells.
func numbered(n int) *record.Record {
	at := time.Now()
	return &record.Record{
		V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Start, Host: "h", Daemon: "d", Namespace: "default",
		App: "shop", PMID: 0, Level: record.LevelInfo, Source: record.FromPM2, Message: fmt.Sprint(n),
	}
}

// server stores records by id, as the real one does.
type server struct {
	mu       sync.Mutex
	store    map[string]string // JSON by id
	twice    int               // ids that came again
	batches  []int             // sizes of what came
	headers  []http.Header
	agents   []record.Agent
	refuse   func(*record.Record) record.Reason // "" takes it
	override func(w http.ResponseWriter, b *record.Batch) bool
}

func newServer() *server { return &server{store: map[string]string{}} }

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost || r.URL.Path != "/base"+PushPath && r.URL.Path != PushPath {
		http.NotFound(w, r)
		return
	}
	b, err := readBatch(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, len(b.Records))
	s.headers = append(s.headers, r.Header.Clone())
	s.agents = append(s.agents, b.Agent)
	if s.override != nil && s.override(w, b) {
		return
	}
	_ = json.NewEncoder(w).Encode(s.take(b))
}

func readBatch(r *http.Request) (*record.Batch, error) {
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return nil, err
	}
	if len(data) > record.MaxBatch {
		return nil, fmt.Errorf("%d bytes", len(data))
	}
	var b record.Batch
	if err := json.Unmarshal(data, &b); err != nil {
		return nil, err
	}
	return &b, nil
}

func (s *server) take(b *record.Batch) record.Receipt {
	var receipt record.Receipt
	for i, r := range b.Records {
		refusal := r.Check(time.Now())
		if s.refuse != nil && refusal == nil {
			if reason := s.refuse(r); reason != "" {
				refusal = &record.Refusal{Reason: reason, Error: "message is not wanted"}
			}
		}
		if refusal != nil {
			refusal.Index = i
			receipt.Refused = append(receipt.Refused, *refusal)
			continue
		}
		if _, known := s.store[r.ID]; known {
			s.twice++
			receipt.Duplicates++
			continue
		}
		text, _ := json.Marshal(r)
		s.store[r.ID] = string(text)
		receipt.Stored++
	}
	return receipt
}

func (s *server) stored() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.store)
}

func (s *server) requests() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]int(nil), s.batches...)
}

// rig is a shipper whose turns the test takes, with its clock, log and server.
type rig struct {
	*Shipper
	server *server
	now    time.Time
	logs   *bytes.Buffer
	token  string // file
}

func tokenFile(t testing.TB) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	ok(t, os.WriteFile(file, []byte(secret+"\n"), 0o600))
	return file
}

func newRig(t *testing.T, change func(*Options)) *rig {
	t.Helper()
	s := newServer()
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	return newRigAt(t, s, web.URL, change)
}

func newRigAt(t *testing.T, s *server, url string, change func(*Options)) *rig {
	t.Helper()
	r := &rig{server: s, now: time.Now(), logs: &bytes.Buffer{}, token: tokenFile(t)}
	o := Options{
		Dir: t.TempDir(), URL: url, TokenFile: r.token, Host: "web-1", Advertise: "web-1:9209", AgentVersion: "1.2.3",
		Logger: log.NewLogfmtLogger(log.NewSyncWriter(r.logs)), Now: func() time.Time { return r.now }, random: func() float64 { return 0.5 },
	}
	if change != nil {
		change(&o)
	}
	var err error
	r.Shipper, err = Open(o)
	ok(t, err)
	t.Cleanup(func() {
		ok(t, r.Close())
		if strings.Contains(r.logs.String(), secret) {
			t.Errorf("the token is in the log: %s", r.logs)
		}
	})
	return r
}

func (r *rig) put(t *testing.T, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		ok(t, r.Put(t.Context(), numbered(n)))
	}
}

// next takes turns until a request was made, and returns how long to wait then.
func (r *rig) next(t *testing.T) time.Duration {
	t.Helper()
	before := len(r.server.requests())
	failed := sumOf(r.Stats().Failures)
	for range 10 {
		wait, _ := r.turn(t.Context())
		if len(r.server.requests()) > before || sumOf(r.Stats().Failures) > failed {
			return wait
		}
		r.now = r.now.Add(wait)
	}
	t.Fatal("no request is made")
	return 0
}

func (r *rig) pending() int {
	n, _ := r.spool.Pending()
	return int(n)
}

func sumOf[K comparable](m map[K]uint64) (sum uint64) {
	for _, n := range m {
		sum += n
	}
	return sum
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("not in time: " + what)
		}
	}
}
