package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// zeros is a body of n zeros that is never in memory.
func zeros(n int64) io.Reader { return io.LimitReader(zeroReader{}, n) }

type zeroReader struct{}

func (zeroReader) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestPushStatuses: each answer of docs/records.md that this package gives, with a
// text that names the limit or the fix.
func TestPushStatuses(t *testing.T) {
	good := func() io.Reader { return bytes.NewReader(batchOf(t, event("order"))) }
	deep := strings.Repeat(`{"a":`, 100_000)
	for _, c := range []struct {
		name    string
		body    io.Reader
		headers []string
		code    int
		says    string
	}{
		{"good", good(), nil, 200, `"stored":1`},
		{"good, gzip", bytes.NewReader(zipped(t, good())), []string{"Content-Encoding", "gzip"}, 200, `"stored":1`},
		{"a sign of life", strings.NewReader(`{"v":1,"agent":{"host":"web-1","version":"1"}}`), nil, 200, `"stored":0`},
		{"fields of a newer agent", strings.NewReader(`{"v":1,"agent":{"host":"web-1","version":"1","zone":"a"},"records":[]}`), nil, 200, `"stored":0`},
		{"no token", good(), []string{"Authorization", ""}, 401, "pm25 bucket create"},
		{"wrong token", good(), []string{"Authorization", "Bearer guess"}, 401, "unknown, revoked or expired token"},
		{"password", good(), []string{"Authorization", "Basic b3BzOnJpZ2h0"}, 401, "Bearer"},
		{"form", good(), []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "application/json"},
		{"zstd", good(), []string{"Content-Encoding", "zstd"}, 415, "gzip"},
		{"gzip that is none", good(), []string{"Content-Encoding", "gzip"}, 400, "not gzip"},
		{"gzip cut off", bytes.NewReader(zipped(t, good())[:40]), []string{"Content-Encoding", "gzip"}, 400, "ends too early"},
		{"empty", strings.NewReader(""), nil, 400, "no batch"},
		{"a list", strings.NewReader("[]"), nil, 400, "no batch"},
		{"cut off", strings.NewReader(`{"v":1,"agent":{"host"`), nil, 400, "no batch"},
		{"two", strings.NewReader(`{"v":1,"agent":{"host":"a"}}{}`), nil, 400, "something follows"},
		{"newer", strings.NewReader(`{"v":2,"agent":{"host":"a"}}`), nil, 400, "update the server"},
		{"no host", strings.NewReader(`{"v":1,"agent":{"host":""}}`), nil, 400, "agent.host"},
		{"host with an escape sequence", strings.NewReader(`{"v":1,"agent":{"host":"a\u001b[2J"}}`), nil, 400, "agent.host"},
		{"unknown field", strings.NewReader(`{"v":1,"agent":{"host":"a"},"recrods":[]}`), nil, 400, "recrods"},
		{"deep", strings.NewReader(deep), nil, 400, "no batch"},
		{"a gigabyte", zeros(1 << 30), nil, 413, fmt.Sprint(record.MaxBatch)},
		{"a bomb", bytes.NewReader(zipped(t, zeros(256<<20))), []string{"Content-Encoding", "gzip"}, 413, "after decompression"},
		{"too many records", strings.NewReader(`{"v":1,"agent":{"host":"a"},"records":[` + strings.Repeat("0,", record.MaxRecords) + `0]}`), nil, 413, fmt.Sprint(record.MaxRecords)},
	} {
		s, registry := newServer(t, &broken{}, Limits{})
		w := push(s, c.body, c.headers...)
		if w.Code != c.code || !strings.Contains(w.Body.String(), c.says) {
			t.Errorf("%s: %d %.300s, want %d with %q", c.name, w.Code, w.Body, c.code, c.says)
		}
		values := gathered(t, registry)
		if values[fmt.Sprintf("pm25_server_push_requests_total code=%d", c.code)] != 1 {
			t.Errorf("%s: not counted: %v", c.name, values)
		}
		var rejected float64
		for name, v := range values {
			if strings.HasPrefix(name, "pm25_server_push_rejected_total") {
				rejected += v
			}
		}
		if (rejected == 1) != (c.code != 200) {
			t.Errorf("%s: %v pushes were rejected", c.name, rejected)
		}
	}
	s, _ := newServer(t, &broken{}, Limits{})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, pushPath, nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") != "POST" {
		t.Errorf("GET: %d, %v", w.Code, w.Header())
	}
}

// TestStoreFailures: what comes later says when, and nothing was acknowledged.
func TestStoreFailures(t *testing.T) {
	for _, c := range []struct {
		err   error
		code  int
		after bool
	}{
		{sessionstore.ErrOverloaded, 503, true},
		{fmt.Errorf("push: %w", sessionstore.ErrFull), 507, true},
		{errors.New("constraint of a secret"), 500, true},
	} {
		s, _ := newServer(t, &broken{err: c.err}, Limits{})
		w := push(s, bytes.NewReader(batchOf(t, event("order"))))
		if w.Code != c.code || (w.Header().Get("Retry-After") != "") != c.after || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: %d, Retry-After %q: %s", c.err, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
	}
}

// TestRefusals: a record that is bad costs no other, and none goes to another
// bucket than that of its token.
func TestRefusals(t *testing.T) {
	store := &broken{}
	s, registry := newServer(t, store, Limits{})
	old, big := event("old"), event("big")
	old.At = moment().Add(-record.MaxAge - time.Hour).UnixNano()
	big.Event.Data = json.RawMessage(`"` + strings.Repeat("x", record.MaxRecord) + `"`)
	deep := event("deep")
	deep.Event.Data = json.RawMessage(strings.Repeat("[", 60) + strings.Repeat("]", 60))
	good, _ := json.Marshal(event("good"))
	var raw []string
	for _, r := range []*record.Record{old, big, deep} {
		b, _ := json.Marshal(r)
		raw = append(raw, string(b))
	}
	raw = append(raw, strings.Replace(string(good), `{"v":1,`, `{"v":1,"unknown":`+strings.Repeat("[", 100)+strings.Repeat("]", 100)+`,`, 1))
	raw = append(raw, "null", "7", `{"v":"one"}`, strings.Replace(string(good), "web-1", "web\xff1", 1), strings.Replace(string(good), "web-1", `web\u0007`, 1), string(good))
	body := `{"v":1,"agent":{"host":"web-1"},"records":[` + strings.Join(raw, ",") + `]}`
	receipt := receiptOf(t, push(s, strings.NewReader(body), "Authorization", "Bearer "+otherToken))
	var reasons []record.Reason
	for i, r := range receipt.Refused {
		if r.Index != i || r.Error == "" {
			t.Errorf("refusal %d: %+v", i, r)
		}
		reasons = append(reasons, r.Reason)
	}
	want := []record.Reason{record.TooOld, record.TooBig, record.TooBig, record.TooBig, record.Invalid, record.Invalid, record.Invalid, record.Invalid, record.Invalid}
	if diff := cmp.Diff(want, reasons); diff != "" {
		t.Error(diff)
	}
	if receipt.Stored != 1 || len(store.pushed["bank"]) != 1 || len(store.pushed) != 1 {
		t.Errorf("%+v, %v", receipt, store.pushed)
	}
	values := gathered(t, registry)
	if values["pm25_server_records_refused_total bucket=bank reason=invalid"] != 5 || values["pm25_server_records_stored_total bucket=bank"] != 1 {
		t.Errorf("%v", values)
	}
}

// TestTextsComeAsTheyAre, Chinese ones and what looks like a query too.
func TestTextsComeAsTheyAre(t *testing.T) {
	store := &broken{}
	s, _ := newServer(t, store, Limits{})
	for _, text := range []string{"支付失败：订单 №42 已取消 🚀", "'; DROP TABLE records; --", "../../etc/passwd", `{app="x"} |= "`, "line\nline\ttab", `\u0000 is text`} {
		r := event("order")
		r.Message = text
		r.Event.Data, _ = json.Marshal(map[string]string{"text": text})
		if got := receiptOf(t, push(s, bytes.NewReader(batchOf(t, r)))); got.Stored != 1 {
			t.Errorf("%q: %+v", text, got)
			continue
		}
		got := store.pushed["shop"][len(store.pushed["shop"])-1]
		var data map[string]string
		if err := json.Unmarshal(got.Event.Data, &data); err != nil || got.Message != text || data["text"] != text {
			t.Errorf("%q came as %q and %q", text, got.Message, data["text"])
		}
	}
}

// TestRates: a bucket that pushes too much is told when to come back, and no other
// is.
func TestRates(t *testing.T) {
	s, _ := newServer(t, &broken{}, Limits{RecordsPerSecond: 10})
	batch := func() io.Reader {
		records := make([]*record.Record, record.MaxRecords)
		for i := range records {
			records[i] = event("order")
		}
		return bytes.NewReader(batchOf(t, records...))
	}
	if w := push(s, batch()); w.Code != 200 {
		t.Fatalf("the first batch: %d %s", w.Code, w.Body)
	}
	w := push(s, bytes.NewReader(batchOf(t, event("order"))))
	if w.Code != 429 || w.Header().Get("Retry-After") != "1" || !strings.Contains(w.Body.String(), "--push.max-records-per-second") {
		t.Errorf("over the rate: %d, after %q: %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if w := push(s, batch()); w.Header().Get("Retry-After") != "100" {
		t.Errorf("a large batch may come after %q s, want 100", w.Header().Get("Retry-After"))
	}
	if w := push(s, bytes.NewReader(batchOf(t, event("order"))), "Authorization", "Bearer "+otherToken); w.Code != 200 {
		t.Errorf("the other bucket: %d", w.Code)
	}

	s, _ = newServer(t, &broken{}, Limits{BytesPerSecond: 1})
	large := event("large")
	large.Message = strings.Repeat("x", record.MaxMessage)
	many := bytes.Repeat([]byte{' '}, record.MaxBatch-8<<10) // what is white counts too
	if w := push(s, io.MultiReader(bytes.NewReader(batchOf(t, large)), bytes.NewReader(many))); w.Code != 200 {
		t.Fatalf("the first batch: %d %s", w.Code, w.Body)
	}
	if w := push(s, io.MultiReader(bytes.NewReader(batchOf(t, large)), bytes.NewReader(many))); w.Code != 429 || !strings.Contains(w.Body.String(), "--push.max-bytes-per-second") {
		t.Errorf("over the rate of bytes: %d %s", w.Code, w.Body)
	}
}

// TestPlacesAreBounded: one bucket takes at most half of the places.
func TestPlacesAreBounded(t *testing.T) {
	store := &broken{wait: make(chan struct{})}
	s, _ := newServer(t, store, Limits{Requests: 4})
	s.limits.patience = 50 * time.Millisecond
	done := make(chan int)
	for range 2 {
		go func() { done <- push(s, bytes.NewReader(batchOf(t, event("slow")))).Code }()
	}
	for len(s.limits.places) < 2 {
		time.Sleep(time.Millisecond)
	}
	ended := make(chan int)
	go func() { ended <- push(s, bytes.NewReader(batchOf(t, event("third")))).Code }()
	go func() {
		done <- push(s, bytes.NewReader(batchOf(t, event("other"))), "Authorization", "Bearer "+otherToken).Code
	}()
	for len(s.limits.places) < 3 {
		time.Sleep(time.Millisecond)
	}
	if code := <-ended; code != 503 {
		t.Errorf("the third of one bucket: %d", code)
	}
	close(store.wait)
	for range 3 {
		if code := <-done; code != 200 {
			t.Errorf("%d", code)
		}
	}
	if len(s.limits.places) != 0 {
		t.Errorf("%d places are not given back", len(s.limits.places))
	}
}

// TestBombsTakeNoMemory: a body of 256 MiB costs some megabytes.
func TestBombsTakeNoMemory(t *testing.T) {
	bomb := zipped(t, zeros(256<<20))
	s, _ := newServer(t, &broken{}, Limits{})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if w := push(s, bytes.NewReader(bomb), "Content-Encoding", "gzip"); w.Code != 413 {
		t.Fatalf("%d", w.Code)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
		t.Errorf("%d bytes were allocated", grown)
	}
}

// FuzzPush: whatever comes, with or without gzip, is answered with one of the
// statuses, and nothing reaches the store that a check would refuse.
func FuzzPush(f *testing.F) {
	f.Add(batchOf(f, event("order")), false)
	f.Add(zipped(f, bytes.NewReader(batchOf(f, event("order")))), true)
	f.Add([]byte(`{"v":1,"agent":{"host":"a","advertise":"[::1]:9209"},"records":[{"v":1,"at":"9223372036854775807","kind":"exception","exception":{}}]}`), false)
	f.Add([]byte(`{"v":1,"agent":{"host":"a"},"records":[[[[[]]]],{"":{"":"\\"}}]}`), false)
	f.Fuzz(func(t *testing.T, body []byte, zip bool) {
		store := &broken{}
		s, _ := newServer(t, store, Limits{})
		var headers []string
		if zip {
			headers = []string{"Content-Encoding", "gzip"}
		}
		w := push(s, bytes.NewReader(body), headers...)
		switch w.Code {
		case 200, 400, 413:
		default:
			t.Fatalf("%d: %s", w.Code, w.Body)
		}
		if !json.Valid(w.Body.Bytes()) {
			t.Fatalf("the answer is no JSON: %s", w.Body)
		}
		for _, r := range store.pushed["shop"] {
			if refusal := r.Check(moment()); refusal != nil {
				t.Fatalf("stored, and %s", refusal.Error)
			}
		}
	})
}

// A body in two gzip streams is one that no agent sends: the second is left.
func TestOneStreamOfGzip(t *testing.T) {
	one := zipped(t, bytes.NewReader(batchOf(t, event("order"))))
	s, _ := newServer(t, &broken{}, Limits{})
	if w := push(s, bytes.NewReader(append(one, one...)), "Content-Encoding", "gzip"); w.Code != 200 {
		t.Errorf("%d: %s", w.Code, w.Body)
	}
}

// TestListsOfNothingsCostLittle: a body within its bound can hold millions of
// records, or a record of as many frames; they are refused before there is room
// made for them.
func TestListsOfNothingsCostLittle(t *testing.T) {
	many := record.MaxBatch/3 - 1000
	frames := batchOf(t, event("x"))
	frames = bytes.Replace(frames, []byte(`"event":{`), []byte(`"exception":{"frames":[`+strings.Repeat("{},", many)+`{}]},"event":{`), 1)
	for name, body := range map[string][]byte{
		"records": []byte(`{"v":1,"agent":{"host":"a"},"records":[` + strings.Repeat("0,", many) + `0]}`),
		"frames":  frames,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := decode(body, moment())
		runtime.ReadMemStats(&after)
		if err == nil && (len(b.refused) != 1 || b.refused[0].Reason != record.TooBig) {
			t.Errorf("%s: %+v", name, b)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 8*record.MaxBatch {
			t.Errorf("%s: a body of %d MiB took %d MiB", name, len(body)>>20, n>>20)
		}
	}
}

// TestAgentsDoNotSpeakForTheServer: only the server says who did what to a group.
func TestAgentsDoNotSpeakForTheServer(t *testing.T) {
	r := event("x")
	r.Kind, r.Event, r.Source = record.GroupState, nil, record.FromServer
	r.Group = &record.GroupInfo{Fingerprint: strings.Repeat("a", 64), Title: "boom", From: "new", To: "resolved", By: "alice"}
	if refusal := r.Check(moment()); refusal != nil {
		t.Fatalf("%+v", refusal)
	}
	store := &broken{}
	s, _ := newServer(t, store, Limits{})
	w := push(s, bytes.NewReader(batchOf(t, r)))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "server's own") || len(store.pushed["shop"]) != 0 {
		t.Errorf("%d %s; stored %d", w.Code, w.Body, len(store.pushed["shop"]))
	}
}
