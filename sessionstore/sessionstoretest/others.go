package sessionstoretest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

func testRuns(t *testing.T, h *harness) {
	began := h.clock.Now().Add(-time.Hour).UnixMilli()
	of := func(kind record.Kind, after time.Duration, pid int, started int64) *record.Record {
		r := h.event(after)
		if kind == record.Exception {
			r = h.exception("x", after)
		}
		r.Kind, r.PID, r.Started = kind, pid, started
		if kind != record.Exception {
			r.Event = nil
		}
		return r
	}
	exit := of(record.Exit, 10*time.Second, 100, began)
	// Records stand for exceptions of several runs; the end says how many were in it.
	exit.Exit = &record.ExitInfo{Reason: "oom_kill", Code: -1, Signal: "SIGKILL", Memory: 1 << 29, Uptime: 3610, Exceptions: 3}
	late := of(record.Exception, 10*time.Second, 100, began)
	thrown := of(record.Exception, time.Second, 100, began)
	thrown.Occurrences = 4
	early := of(record.Exception, 2*time.Second, 100, 0) // its start is not known
	other := of(record.Start, 0, 100, began)
	other.Host = "web-2"
	h.push(of(record.Start, 0, 100, began), thrown, other)
	h.push(early)
	h.push(exit)
	h.push(late)
	h.Store = h.again()
	h.push(of(record.Restart, 11*time.Second, 101, began+3_611_000))
	runs, err := h.Runs(t.Context(), sessionstore.RunQuery{Host: "web-1", PMID: 3})
	want := []sessionstore.Run{
		{
			Bucket: "main", Host: "web-1", Daemon: "deploy", Namespace: "default", App: "api", PMID: 3, PID: 101, Started: time.UnixMilli(began + 3_611_000).UTC(),
			Version: "1.2.3", Revision: "4f3a2b1", Code: -1,
		}, {
			Bucket: "main", Host: "web-1", Daemon: "deploy", Namespace: "default", App: "api", PMID: 3, PID: 100, Started: time.UnixMilli(began).UTC(), Ended: exit.Time(),
			Version: "1.2.3", Revision: "4f3a2b1", Reason: "oom_kill", Code: -1, Signal: "SIGKILL", PeakMemory: 1 << 29, Exceptions: 3,
		},
	}
	if diff := cmp.Diff(want, runs); diff != "" || err != nil {
		t.Error(diff, err)
	}
	for n, q := range map[int]sessionstore.RunQuery{
		3: {PMID: -1}, 0: {PMID: 9}, 1: {PMID: -1, Limit: 1}, 2: {PMID: -1, Host: "web-1", Bucket: "main", App: "api", Since: h.clock.Now()},
	} {
		if runs, err := h.Runs(t.Context(), q); err != nil || len(runs) != n {
			t.Errorf("%+v: %d runs, want %d, %v", q, len(runs), n, err)
		}
	}
}

func testHosts(t *testing.T, h *harness) {
	h.push()
	first := h.clock.Now()
	h.clock.add(time.Hour)
	if _, _, err := h.Push(t.Context(), "main", record.Agent{Host: "web-1", Version: "1.1.0", Scheme: "https"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.Push(t.Context(), "other", agent, nil); err != nil {
		t.Fatal(err)
	}
	h.Store = h.again()
	hosts, err := h.Hosts(t.Context())
	want := []sessionstore.Host{
		{Bucket: "main", Name: "web-1", AgentVersion: "1.1.0", Scheme: "https", FirstSeen: first, LastSeen: h.clock.Now()},
		{Bucket: "other", Name: "web-1", AgentVersion: "1.0.0", Advertise: "10.0.0.1:9209", FirstSeen: h.clock.Now(), LastSeen: h.clock.Now()},
	}
	if diff := cmp.Diff(want, hosts); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// authenticates makes sure that secret is of bucket want, or of none.
func (h *harness) authenticates(secret, want string) {
	h.t.Helper()
	bucket, err := h.Authenticate(h.t.Context(), secret)
	if bucket != want || (want == "") != errors.Is(err, sessionstore.ErrToken) {
		h.t.Errorf("bucket %q, %v, want %q", bucket, err, want)
	}
}

func testNames(t *testing.T, h *harness) {
	for _, name := range []string{"", "-a", "A", "a_b", "a b", "../x", "a\n", strings.Repeat("a", 64), "桶"} {
		if _, _, err := h.CreateBucket(t.Context(), name); err == nil {
			t.Errorf("bucket %q is made", name)
		}
	}
	for _, name := range []string{"0", "a-b-", strings.Repeat("a", 63)} {
		if _, _, err := h.CreateBucket(t.Context(), name); err != nil {
			t.Error(err)
		}
		if _, _, err := h.CreateBucket(t.Context(), name); !errors.Is(err, sessionstore.ErrExists) {
			t.Error(err)
		}
	}
}

func testTokens(t *testing.T, h *harness) {
	first, secret, err := h.CreateBucket(t.Context(), "team-a")
	if err != nil || len(secret) != len("pm25_")+43 || !strings.HasPrefix(secret, "pm25_") || first.ID == "" {
		t.Fatal(first, len(secret), err)
	}
	_, b, err := h.CreateBucket(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	h.authenticates(secret, "team-a")
	h.authenticates(b, "b")
	h.authenticates(secret+"x", "")
	h.authenticates("", "")
	h.clock.add(time.Hour)
	_, rotated, err := h.RotateToken(t.Context(), "team-a", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := h.RotateToken(t.Context(), "none", time.Hour); !errors.Is(err, sessionstore.ErrNotFound) {
		t.Error(err)
	}
	h.Store = h.again()
	h.authenticates(secret, "team-a")
	h.authenticates(rotated, "team-a")
	h.push() // a write takes the use of tokens along
	h.clock.add(time.Hour)
	h.authenticates(secret, "")
	h.authenticates(rotated, "team-a")
	h.authenticates(b, "b")
	buckets, err := h.Buckets(t.Context())
	if err != nil || len(buckets) != 2 || buckets[0].Name != "b" || len(buckets[1].Tokens) != 2 {
		t.Fatalf("%+v, %v", buckets, err)
	}
	old, now := buckets[1].Tokens[0], buckets[1].Tokens[1]
	if old.ID != first.ID || !old.Expires.Equal(h.clock.Now()) || !now.Expires.IsZero() || !now.LastUsed.Equal(h.clock.Now()) || !old.LastUsed.Equal(h.clock.Now().Add(-time.Hour)) {
		t.Errorf("%+v", buckets)
	}
	if err := h.RevokeToken(t.Context(), "b", now.ID); !errors.Is(err, sessionstore.ErrNotFound) {
		t.Errorf("revoked as another bucket's: %v", err)
	}
	if err := h.RevokeToken(t.Context(), "team-a", now.ID); err != nil {
		t.Error(err)
	}
	h.authenticates(rotated, "")
	h.authenticates(b, "b")
	h.Store = h.again()
	h.authenticates(rotated, "")
}

func testRetention(t *testing.T, h *harness) {
	var samples []*record.Record
	for i := range 60 {
		samples = append(samples, h.exception("x", time.Duration(i)*time.Minute))
	}
	plain := h.event(0)
	h.push(append(samples, plain)...)
	h.clock.add(35 * 24 * time.Hour)
	stays := h.event(0)
	h.push(stays)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Store = h.again()
	equal(t, "events", ids(h.entries(everything("kind=event"))), []string{stays.ID})
	equal(t, "exceptions", ids(h.entries(everything("kind=exception"))), append(idsOf(samples[:5]), idsOf(samples[40:])...))
	g := h.only()
	if g.Count != 60 || g.State != sessionstore.StateOngoing {
		t.Errorf("%+v", g)
	}
	if hours, err := h.GroupHours(t.Context(), g.ID, time.Time{}); err != nil || len(hours) < 1 {
		t.Error(hours, err)
	}
	if _, _, err := h.Record(t.Context(), plain.ID); !errors.Is(err, sessionstore.ErrNotFound) {
		t.Error(err)
	}
	v, err := h.Volume(t.Context(), nil, everything().Start, everything().End)
	if err != nil || v.Entries != int64(len(h.times(everything()))) {
		t.Errorf("%+v, %v", v, err)
	}
	h.clock.add(100 * 24 * time.Hour) // nobody has seen the group for long
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if groups, err := h.Groups(t.Context(), sessionstore.GroupQuery{}); err != nil || len(groups) != 0 {
		t.Errorf("%+v, %v", groups, err)
	}
	equal(t, "at last", ids(h.entries(everything())), nil)
	if streams, err := h.Streams(t.Context(), nil, everything().Start, everything().End); err != nil || len(streams) != 0 {
		t.Errorf("%d streams, %v", len(streams), err)
	}
	h.push(h.event(0)) // in a stream that was gone
	h.Store = h.again()
	if n := len(h.entries(everything())); n != 1 {
		t.Errorf("%d entries", n)
	}
}

func testClock(t *testing.T, h *harness) {
	late := h.exception("x", 0)
	h.push(late)
	h.clock.add(-3 * time.Hour)
	early := h.exception("x", 0)
	h.push(early)
	if err := h.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.Store = h.again()
	equal(t, "entries", ids(h.entries(everything("kind=exception"))), []string{early.ID, late.ID})
	if g := h.only(); !g.FirstSeen.Equal(early.Time()) || !g.LastSeen.Equal(late.Time()) || g.State != sessionstore.StateNew {
		t.Errorf("%+v", g)
	}
	if stored, duplicates, err := h.Push(t.Context(), "main", agent, []*record.Record{late}); err != nil || stored != 0 || duplicates != 1 {
		t.Error(stored, duplicates, err)
	}
}

func testConcurrent(t *testing.T, h *harness) {
	const callers, pushes, each = 8, 12, 10
	var wg sync.WaitGroup
	for c := range callers {
		wg.Go(func() {
			for i := range pushes {
				var batch []*record.Record
				for j := range each {
					r := h.exception(fmt.Sprint("bug", j%3), time.Duration(i)*time.Millisecond)
					r.Host = fmt.Sprint("host-", c)
					batch = append(batch, r)
				}
				if i == 5 {
					batch[3].ID = "none" // fails, and nothing else does
				}
				stored, _, err := h.Push(t.Context(), "main", record.Agent{Host: batch[0].Host}, batch)
				if (i == 5) != (err != nil) || err == nil && stored != each {
					t.Errorf("%d stored, %v", stored, err)
				}
				if n := len(h.entries(everything("host=" + batch[0].Host))); n%each != 0 {
					t.Errorf("%d entries: half a batch is to be seen", n)
				}
			}
		})
	}
	wg.Wait()
	groups, err := h.Groups(t.Context(), sessionstore.GroupQuery{})
	if err != nil || len(groups) != 3 {
		t.Fatalf("%+v, %v", groups, err)
	}
	var count uint64
	for _, g := range groups {
		count += g.Count
		if len(g.Hosts) != callers {
			t.Errorf("hosts %v", g.Hosts)
		}
	}
	if want := callers * (pushes - 1) * each; int(count) != want || len(h.entries(everything("kind=exception"))) != want {
		t.Errorf("%d occurrences, want %d", count, want)
	}
}
