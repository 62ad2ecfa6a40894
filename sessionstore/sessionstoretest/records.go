package sessionstoretest

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

func testRoundTrip(t *testing.T, h *harness) {
	big := h.exception("big", time.Minute)
	big.Message = strings.Repeat("错", record.MaxMessage/3)
	big.Exception.Stack = strings.Repeat("堆栈 <&> \u2028\n", record.MaxStack/20)
	for range record.MaxFrames - 1 {
		big.Exception.Frames = append(big.Exception.Frames, record.Frame{File: strings.Repeat("f", 1000), Text: strings.Repeat("x", record.MaxSource), Before: []string{"a", "b"}})
	}
	for range record.MaxLogs - 1 {
		big.Logs = append(big.Logs, record.LogLine{Stream: "out", Text: strings.Repeat("日", record.MaxLogLine/3)})
	}
	records := []*record.Record{h.event(0), h.exception("x", time.Second), big}
	h.push(records...)
	h.Store = h.again()
	for _, want := range records {
		got, bucket, err := h.Record(t.Context(), want.ID)
		if err != nil || bucket != "main" {
			t.Fatalf("bucket %q, %v", bucket, err)
		}
		if a, b := asJSON(t, got), asJSON(t, want); a != b {
			t.Errorf("got\n%.2000s\nwant\n%.2000s", a, b)
		}
	}
	for i, e := range h.entries(sessionstore.Selection{Start: records[0].At, End: big.At + 1, Matchers: everything("host=web-1").Matchers}) {
		want := records[i]
		if e.Line != want.Line() || !slices.Equal(e.Metadata, want.Metadata()) || e.ID != want.ID || e.At != want.At {
			t.Errorf("entry %d is not as its record says", i)
		}
		for _, p := range want.StreamLabels("main") {
			if got := e.Stream.Labels.Get(p.Name); got != p.Value {
				t.Errorf("%s is %q, want %q", p.Name, got, p.Value)
			}
		}
	}
	for _, id := range []string{record.NewID(h.clock.Now()), "", "x' OR 1=1 --"} {
		if _, _, err := h.Record(t.Context(), id); !errors.Is(err, sessionstore.ErrNotFound) {
			t.Errorf("record %q: %v", id, err)
		}
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func testTwice(t *testing.T, h *harness) {
	batch := []*record.Record{h.event(0), h.exception("x", 0), h.exception("x", time.Second)}
	batch[2].Occurrences = 40
	h.push(batch...)
	h.Store = h.again()
	for range 2 {
		stored, duplicates, err := h.Push(t.Context(), "main", agent, append(batch, h.event(0)))
		if err != nil || stored != 1 || duplicates != 3 {
			t.Fatalf("%d stored, %d duplicates, %v", stored, duplicates, err)
		}
	}
	one := h.event(0)
	if stored, duplicates, err := h.Push(t.Context(), "main", agent, []*record.Record{one, one}); err != nil || stored != 1 || duplicates != 1 {
		t.Errorf("twice in one batch: %d stored, %d duplicates, %v", stored, duplicates, err)
	}
	if g := h.only(); g.Count != 41 {
		t.Errorf("%d occurrences, want 41", g.Count)
	}
	if n := len(h.entries(everything("host=web-1"))); n != 6 {
		t.Errorf("%d entries, want 6", n)
	}
}

func testOrder(t *testing.T, h *harness) {
	random := rand.New(rand.NewPCG(1, 2))
	var records []*record.Record
	for i := range 700 {
		r := h.event(time.Duration(random.IntN(200)) * time.Millisecond) // many share a time
		r.App = fmt.Sprint("app-", i%7)
		records = append(records, r)
	}
	for batch := range slices.Chunk(records, 90) {
		h.push(batch...)
	}
	slices.SortFunc(records, func(a, b *record.Record) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID)) })
	sel := everything("kind=event")
	equal(t, "forward", ids(h.entries(sel)), idsOf(records))
	half := sel
	half.Start, half.End = records[100].At, records[600].At
	within := slices.DeleteFunc(slices.Clone(records), func(r *record.Record) bool { return r.At < half.Start || r.At >= half.End })
	equal(t, "from start on and before end", ids(h.entries(half)), idsOf(within))
	equal(t, "pages forward", h.paged(half, 7), idsOf(within))
	slices.Reverse(within)
	half.Backward = true
	equal(t, "backward", ids(h.entries(half)), idsOf(within))
	equal(t, "pages backward", h.paged(half, 7), idsOf(within))
	slices.Reverse(records)
	sel.Backward = true
	equal(t, "all backward", ids(h.entries(sel)), idsOf(records))
	if err := h.Entries(t.Context(), sessionstore.Selection{End: 1 << 62, After: sessionstore.Cursor{At: 1, ID: "no id"}}, nil); err == nil {
		t.Error("a cursor that is none is taken")
	}
}

// paged reads a selection n entries at a time.
func (h *harness) paged(sel sessionstore.Selection, n int) (out []string) {
	h.t.Helper()
	for {
		var page []string
		err := h.Entries(h.t.Context(), sel, func(e *sessionstore.Entry) bool {
			page = append(page, e.ID)
			sel.After = e.Cursor
			return len(page) < n
		})
		if err != nil {
			h.t.Fatal(err)
		}
		if len(page) == 0 {
			return out
		}
		out = append(out, page...)
	}
}

func testHostile(t *testing.T, h *harness) {
	for i, text := range []string{
		"'; DROP TABLE records; --", `" OR ""="`, "%_*?[a-z]", "../../etc/passwd", "中文，空格 和 emoji 🧨", "a\u0301 \u202e", "?1 :x @y $z", `\x00\\`, "\ufffd", "{{.}} <script>",
	} {
		r := h.exception(text, time.Duration(i)*time.Second)
		r.Host, r.Daemon, r.Namespace, r.App, r.Version, r.Revision, r.Node, r.Mode, r.Message = text, text, text, text, text, text, text, text, text
		e := r.Exception
		e.Title, e.Culprit, e.Name, e.Code, e.Message, e.Stack, e.Method, e.Route = text, text, text, text, text, text, text, text
		h.push(r)
		bucket := text // the server makes sure of names; the store has to stand them
		if _, _, err := h.Push(t.Context(), bucket, record.Agent{Host: text, Version: text, Advertise: text, Scheme: text}, []*record.Record{h.event(0)}); err != nil {
			t.Error(err)
		}
		if got, _, err := h.Record(t.Context(), r.ID); err != nil || asJSON(t, got) != asJSON(t, r) {
			t.Errorf("%q came back as %+v, %v", text, got, err)
		}
		for _, label := range []string{"app", "host", "daemon", "pm2_namespace"} {
			if got := ids(h.entries(everything("kind=exception", label+"="+text))); !slices.Equal(got, []string{r.ID}) {
				t.Errorf("%s=%q chooses %v", label, text, got)
			}
		}
		groups, err := h.Groups(t.Context(), sessionstore.GroupQuery{App: text, Namespace: text, Bucket: "main", Text: text})
		if err != nil || len(groups) != 1 || groups[0].Title != text || groups[0].Hosts[0] != text {
			t.Errorf("groups of %q: %+v, %v", text, groups, err)
		}
		runs, err := h.Runs(t.Context(), sessionstore.RunQuery{App: text, Host: text, Daemon: text, PMID: -1})
		if err != nil || len(runs) != 1 || runs[0].Version != text {
			t.Errorf("runs of %q: %+v, %v", text, runs, err)
		}
		if _, err := h.Group(t.Context(), text); !errors.Is(err, sessionstore.ErrNotFound) {
			t.Errorf("group %q: %v", text, err)
		}
		if _, err := h.Authenticate(t.Context(), text); !errors.Is(err, sessionstore.ErrToken) {
			t.Errorf("token %q: %v", text, err)
		}
	}
}

func testVolume(t *testing.T, h *harness) {
	var bytes int64
	var all []int64
	for i := range 300 {
		r := h.event(time.Duration(i-299) * 30 * time.Minute) // over six days
		r.App = fmt.Sprint("app-", i%3)
		h.push(r)
		all = append(all, r.At)
		bytes += int64(len(r.Line()))
		for _, p := range r.Metadata() {
			bytes += int64(len(p.Name) + len(p.Value))
		}
	}
	equal(t, "times", h.times(everything("kind=event")), all)
	for _, from := range []int{0, 1, 17, 100, 299} {
		for _, to := range []int{0, 1, 18, 200, 299} {
			sel := sessionstore.Selection{Start: all[from], End: all[to]}
			want := int64(max(to-from, 0))
			if got := int64(len(h.times(sel))); got != want {
				t.Errorf("%d to %d: %d times, want %d", from, to, got, want)
			}
			v, err := h.Volume(t.Context(), nil, sel.Start, sel.End)
			if err != nil || v.Entries != want || v.Streams != min(want, 3) {
				t.Errorf("%d to %d: %+v, want %d, %v", from, to, v, want, err)
			}
			streams, err := h.Streams(t.Context(), nil, sel.Start, sel.End)
			if err != nil || int64(len(streams)) != min(want, 3) {
				t.Errorf("%d to %d: %d streams, %v", from, to, len(streams), err)
			}
		}
	}
	back := everything("app=app-1")
	back.Backward = true
	var want []int64
	for i := 298; i >= 0; i -= 3 {
		want = append(want, all[i])
	}
	equal(t, "times backward", h.times(back), want)
	v, err := h.Volume(t.Context(), nil, back.Start, back.End)
	if err != nil || v.Entries != 300 || v.Bytes != bytes || v.Streams != 3 {
		t.Errorf("volume %+v, want %d bytes, %v", v, bytes, err)
	}
	if streams, err := h.Streams(t.Context(), nil, all[3]+1, all[4]); err != nil || len(streams) != 0 {
		t.Errorf("between two records there are %d streams, %v", len(streams), err)
	}
}

// testManyOfOne: more of one stream share a time than are read at once.
func testManyOfOne(t *testing.T, h *harness) {
	var records []*record.Record
	var want []int64
	for i := range 5000 {
		r := h.event(time.Duration(i/1700) * time.Millisecond)
		r.PMID = i % 9 // no part of the stream
		records, want = append(records, r), append(want, r.At)
	}
	for batch := range slices.Chunk(records, 1000) {
		h.push(batch...)
	}
	sel := everything("kind=event")
	equal(t, "times", h.times(sel), want)
	slices.SortFunc(records, func(a, b *record.Record) int { return cmp.Or(cmp.Compare(a.At, b.At), strings.Compare(a.ID, b.ID)) })
	equal(t, "entries", ids(h.entries(sel)), idsOf(records))
	sel.Backward = true
	slices.Reverse(want)
	slices.Reverse(records)
	equal(t, "times backward", h.times(sel), want)
	equal(t, "entries backward", ids(h.entries(sel)), idsOf(records))
}

func testSubscribe(t *testing.T, h *harness) {
	committed, cancel := h.Subscribe()
	slow, _ := h.Subscribe()
	for range 3 {
		h.push(h.event(0))
		<-committed
	}
	<-slow
	cancel()
	h.push(h.event(0))
	select {
	case <-committed:
		t.Error("told after cancel")
	default:
	}
}
