package ship

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
)

func TestAReceiptFreesRecords(t *testing.T) {
	r := newRig(t, func(o *Options) { o.URL += "/base/" })
	r.put(t, 0, 4)
	if wait := r.next(t); wait != 0 || r.pending() != 0 || r.server.stored() != 4 {
		t.Errorf("wait %s, %d pending, %d stored", wait, r.pending(), r.server.stored())
	}
	h := r.server.headers[0]
	if h.Get("Authorization") != "Bearer "+secret || h.Get("Content-Encoding") != "gzip" || h.Get("Content-Type") != "application/json" || h.Get("User-Agent") != "pm25-agent/1.2.3" {
		t.Errorf("headers %v", h)
	}
	if diff := cmp.Diff(record.Agent{Host: "web-1", Version: "1.2.3", Advertise: "web-1:9209"}, r.server.agents[0]); diff != "" {
		t.Error(diff)
	}
	if st := r.Stats(); st.Stored != 4 || st.Duplicates != 0 || st.Requests != 1 || !st.LastReceipt.Equal(r.now) || st.Spool.Spooled[record.Start] != 4 {
		t.Errorf("%+v", st)
	}
}

func TestRefusedRecordsAreDeadLetters(t *testing.T) {
	r := newRig(t, nil)
	r.server.refuse = func(r *record.Record) record.Reason {
		return map[string]record.Reason{"1": record.TooNew, "3": "brand_new"}[r.Message]
	}
	r.put(t, 0, 5)
	r.next(t)
	if r.pending() != 0 || r.server.stored() != 3 {
		t.Errorf("%d pending, %d stored", r.pending(), r.server.stored())
	}
	if diff := cmp.Diff(map[record.Reason]uint64{record.TooNew: 1, OtherReason: 1}, r.Stats().DeadLetters); diff != "" {
		t.Error(diff)
	}
	letters := readLetters(t, r.letters.path)
	if len(letters) != 2 || letters[0].Reason != record.TooNew || letters[0].Error != "message is not wanted" || !letters[0].At.Equal(r.now) {
		t.Fatalf("%+v", letters)
	}
	var kept record.Record
	if err := json.Unmarshal(letters[0].Record, &kept); err != nil || kept.Message != "1" {
		t.Errorf("%+v, %v", kept, err)
	}
}

func readLetters(t *testing.T, path string) (letters []Letter) {
	t.Helper()
	data, err := os.ReadFile(path)
	ok(t, err)
	for line := range bytes.Lines(data) {
		var l Letter
		ok(t, json.Unmarshal(line, &l))
		letters = append(letters, l)
	}
	return letters
}

// What is no receipt for all of the records acknowledges none of them.
func TestWhatIsNoReceiptKeepsRecords(t *testing.T) {
	for _, answer := range []string{
		`{"stored":3}`, `{"stored":5}`, `{"stored":5,"duplicates":-1}`, `{"stored":2,"refused":[{"index":0},{"index":0}]}`,
		`{"stored":3,"refused":[{"index":4}]}`, `{"stored":3,"refused":[{"index":-1}]}`, ``, `<html>log in here</html>`, `[]`, `{"stored":4`,
		`{"stored":4}` + strings.Repeat(" ", maxReceipt), `{"stored":"` + secret + `"}`,
	} {
		r := newRig(t, nil)
		r.server.override = func(w http.ResponseWriter, _ *record.Batch) bool {
			_, err := w.Write([]byte(answer))
			return err == nil
		}
		r.put(t, 0, 4)
		if wait := r.next(t); wait != 500*time.Millisecond || r.pending() != 4 || r.Stats().Failures[BadReceipt] != 1 {
			t.Errorf("%.40q: wait %s, %d pending, %v", answer, wait, r.pending(), r.Stats().Failures)
		}
		r.server.override = nil
		r.next(t)
		if r.pending() != 0 || r.server.stored() != 4 {
			t.Errorf("%.40q: afterwards %d pending, %d stored", answer, r.pending(), r.server.stored())
		}
	}
}

func TestStatusesThatKeepRecords(t *testing.T) {
	const soon, rare = 500 * time.Millisecond, time.Minute
	inDate := func(r *rig) string { return r.now.Add(20 * time.Second).UTC().Format(http.TimeFormat) }
	for _, tc := range []struct {
		status int
		after  string
		wait   time.Duration
		reason Failure
	}{
		{401, "", rare, Unauthorized},
		{403, "1", rare, Unauthorized},
		{404, "", rare, NotServer},
		{405, "", rare, NotServer},
		{406, "", rare, NotServer},
		{415, "", rare, NotServer},
		{418, "", rare, NotServer},
		{301, "", rare, NotServer},
		{307, "", rare, NotServer},
		{204, "", rare, NotServer},
		{202, "", rare, NotServer},
		{408, "", soon, ServerError},
		{429, "", soon, Throttled},
		{500, "", soon, ServerError},
		{503, "nonsense", soon, ServerError},
		{503, "-4", soon, ServerError},
		{429, "20", 21 * time.Second, Throttled},
		{503, "20", 21 * time.Second, ServerError},
		{503, "date", 21 * time.Second, ServerError},
		{503, "0", 105 * time.Millisecond, ServerError},
		{503, "99999999", maxRetryAfter * 21 / 20, ServerError},
	} {
		r := newRig(t, nil)
		var elsewhere int
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
		r.server.override = func(w http.ResponseWriter, _ *record.Batch) bool {
			after := tc.after
			if after == "date" {
				after = inDate(r)
			}
			w.Header().Set("Retry-After", after)
			w.Header().Set("Location", other.URL)
			w.WriteHeader(tc.status)
			_, _ = w.Write([]byte("you sent Bearer " + secret)) // must not get into the log
			return true
		}
		r.put(t, 0, 4)
		wait := r.next(t)
		if off := wait - tc.wait; off < -2*time.Second || off > 2*time.Second || tc.wait < 2*time.Second && off != 0 {
			t.Errorf("%d %q: wait %s, want %s", tc.status, tc.after, wait, tc.wait)
		}
		if diff := cmp.Diff(map[Failure]uint64{tc.reason: 1}, r.Stats().Failures); diff != "" || r.pending() != 4 || len(r.Stats().DeadLetters) != 0 {
			t.Errorf("%d: %d pending, %s", tc.status, r.pending(), diff)
		}
		r.server.override = nil
		r.next(t)
		if r.pending() != 0 || r.server.stored() != 4 || elsewhere != 0 {
			t.Errorf("%d: afterwards %d pending, %d stored, %d requests went elsewhere", tc.status, r.pending(), r.server.stored(), elsewhere)
		}
		other.Close()
	}
}

// A batch that the server calls none is halved until the record is alone that is to
// blame; the others arrive.
func TestHalving(t *testing.T) {
	for status, reason := range map[int]record.Reason{400: TakenForNoBatch, 413: TakenForTooBig} {
		r := newRig(t, nil)
		r.server.override = func(w http.ResponseWriter, b *record.Batch) bool {
			for _, rec := range b.Records {
				if rec.Message == "37" || rec.Message == "61" {
					w.WriteHeader(status)
					return true
				}
			}
			return false
		}
		r.put(t, 0, 100)
		for r.pending() > 0 {
			if wait := r.next(t); wait != 0 {
				t.Fatalf("%d: wait %s", status, wait)
			}
		}
		if n := r.server.stored(); n != 98 {
			t.Errorf("%d: %d stored", status, n)
		}
		if diff := cmp.Diff(map[record.Reason]uint64{reason: 2}, r.Stats().DeadLetters); diff != "" {
			t.Errorf("%d: %s", status, diff)
		}
		if n := len(r.server.requests()); n > 60 {
			t.Errorf("%d: %d requests", status, n)
		}
		r.put(t, 100, 100+record.MaxRecords)
		for r.pending() > 0 {
			r.next(t)
		}
		if r.most != record.MaxRecords {
			t.Errorf("%d: batches do not grow again: %d", status, r.most)
		}
	}
}

// Something that refuses everything, even a batch without records, gets no record
// thrown away.
func TestWhatRefusesEverythingGetsNothing(t *testing.T) {
	for _, status := range []int{400, 413} {
		r := newRig(t, nil)
		r.server.override = func(w http.ResponseWriter, _ *record.Batch) bool {
			w.WriteHeader(status)
			return true
		}
		r.put(t, 0, 8)
		var wait time.Duration
		for range 10 {
			wait = r.next(t)
		}
		if r.pending() != 8 || len(r.Stats().DeadLetters) != 0 || wait != time.Minute {
			t.Errorf("%d: %d pending, dead letters %v, wait %s", status, r.pending(), r.Stats().DeadLetters, wait)
		}
		r.server.override = nil
		for r.pending() > 0 {
			r.next(t)
		}
		if r.server.stored() != 8 {
			t.Errorf("%d: %d stored", status, r.server.stored())
		}
	}
}

func TestNoAnswer(t *testing.T) {
	r := newRig(t, nil)
	r.server.override = func(http.ResponseWriter, *record.Batch) bool { panic(http.ErrAbortHandler) }
	r.put(t, 0, 4)
	for n, bound := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60, 60} {
		if wait := r.next(t); wait != bound*time.Second/2 {
			t.Errorf("after %d failures: wait %s", n+1, wait)
		}
	}
	if r.pending() != 4 || r.Stats().Failures[Unreachable] != 9 {
		t.Errorf("%d pending, %v", r.pending(), r.Stats().Failures)
	}
	if told := strings.Count(r.logs.String(), "takes no records"); told != 1 {
		t.Errorf("told %d times", told)
	}
	r.server.override = nil
	r.next(t)
	if r.pending() != 0 || !strings.Contains(r.logs.String(), "takes records again") {
		t.Errorf("%d pending", r.pending())
	}
}

func TestTheTokenIsReadEachTime(t *testing.T) {
	r := newRig(t, nil)
	r.put(t, 0, 1)
	r.next(t)
	ok(t, os.WriteFile(r.token, []byte("another"), 0o600))
	r.put(t, 1, 2)
	r.next(t)
	if got := r.server.headers[1].Get("Authorization"); got != "Bearer another" {
		t.Errorf("%q", got)
	}
	r.put(t, 2, 3)
	for _, bad := range []string{"", "a b", "a\nb", strings.Repeat("x", maxToken+1)} {
		ok(t, os.WriteFile(r.token, []byte(bad), 0o600))
		if wait := r.next(t); wait != time.Minute {
			t.Errorf("%.9q: wait %s", bad, wait)
		}
	}
	ok(t, os.Remove(r.token))
	r.next(t)
	if r.pending() != 1 || r.Stats().Failures[NoToken] != 5 || len(r.server.requests()) != 2 {
		t.Errorf("%d pending, %v, %v", r.pending(), r.Stats().Failures, r.server.requests())
	}
	ok(t, os.WriteFile(r.token, []byte(secret), 0o604))
	r.next(t)
	if r.pending() != 0 {
		t.Errorf("%d pending", r.pending())
	}
	r.warnOfToken()
	if !strings.Contains(r.logs.String(), "Others can read the token") {
		t.Error("no warning")
	}
}

func TestDeadLettersAreBounded(t *testing.T) {
	path := t.TempDir() + "/" + deadLettersName
	d := newDeadLetters(path)
	big := json.RawMessage(fmt.Sprintf("%q", strings.Repeat("x", record.MaxRecord-2)))
	for range 20 {
		ok(t, d.add(slices.Repeat([]Letter{{Reason: record.Invalid, Record: big}}, 8)))
	}
	ok(t, d.close())
	for _, file := range []string{path, path + ".old"} {
		info, err := os.Stat(file)
		ok(t, err)
		if info.Size() > maxLetters || info.Mode().Perm() != 0o600 {
			t.Errorf("%s has %d bytes, %s", file, info.Size(), info.Mode())
		}
	}
	// A torn line does not spoil the next.
	ok(t, os.Truncate(path, d.written-100))
	whole := len(readLettersBut(t, path))
	d = newDeadLetters(path)
	ok(t, d.add([]Letter{{Reason: record.TooOld, Record: []byte(`1`)}}))
	ok(t, d.close())
	if letters := readLetters(t, path); len(letters) != whole+1 || letters[whole].Reason != record.TooOld {
		t.Errorf("%d letters, want %d", len(letters), whole+1)
	}
}

// readLettersBut reads the whole lines.
func readLettersBut(t *testing.T, path string) (lines []string) {
	t.Helper()
	data, err := os.ReadFile(path)
	ok(t, err)
	for line := range strings.Lines(string(data)) {
		if strings.HasSuffix(line, "\n") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestReason: what a log says of an answer is readable, whoever gave it.
func TestReason(t *testing.T) {
	for body, want := range map[string]string{
		`{"status":"error","errorType":"unauthorized","error":"unknown \"token\""}`: `unknown "token"`,
		"404 page not found\n":        "404 page not found ",
		`{"other":1}`:                 `{"other":1}`,
		"{\"error\":\"two\\nlines\"}": "two lines",
	} {
		if got := reason([]byte(body)); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
