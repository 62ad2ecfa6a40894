package pm2

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2/axon"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// readBus returns what a bus gives for a stream: events, undecodable messages,
// and how it ended.
func readBus(stream io.Reader) (events, bad []string, end error) {
	end = NewBus(stream).Read(
		func(ev *Event) { events = append(events, show(ev)) },
		func(err error) { bad = append(bad, err.Error()) },
	)
	return events, bad, end
}

func show(ev *Event) string {
	kinds := []string{"custom", "out", "err", "daemon_log", "lifecycle", "exception", "message", "human", "internal", "kill", "report", "ext_exception", "ext_event", "transaction"}
	out := fmt.Sprintf("%s %s/%s:%d", kinds[ev.Kind], ev.Namespace, ev.Name, ev.PMID)
	if ev.Retired {
		out += " retired"
	}
	if ev.Lines > 0 {
		out += fmt.Sprintf(" lines=%d", ev.Lines)
	}
	if ev.Text != nil {
		out += fmt.Sprintf(" text=%q", ev.Text)
	}
	if ev.Lifecycle != "" {
		out += fmt.Sprintf(" lifecycle=%q", ev.Lifecycle)
	}
	if ev.Status != "" {
		out += fmt.Sprintf(" status=%q", ev.Status)
	}
	if ev.Notified {
		out += " notified"
	}
	return out
}

// recordedBus is each recorded message as a frame.
func recordedBus(t testing.TB) (topics []string, frames [][]byte) {
	t.Helper()
	in := bufio.NewScanner(bytes.NewReader(recorded(t, "bus.jsonl")))
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var m struct {
			Event   string
			Payload json.RawMessage
		}
		if err := json.Unmarshal(in.Bytes(), &m); err != nil {
			t.Fatal(err)
		}
		topics = append(topics, m.Event)
		frames = append(frames, pm2fake.Frame(pm2fake.Text(m.Event), pm2fake.JSON(string(m.Payload))))
	}
	if len(frames) < 100 {
		t.Fatalf("only %d recorded messages", len(frames))
	}
	return topics, frames
}

func TestDecodeRecordedBus(t *testing.T) {
	topics, frames := recordedBus(t)
	events, bad, err := readBus(bytes.NewReader(bytes.Join(frames, nil)))
	if !errors.Is(err, io.EOF) || len(bad) > 0 || len(events) != len(frames) {
		t.Fatalf("%d of %d messages, undecodable %q, end %v", len(events), len(frames), bad, err)
	}
	var out strings.Builder
	for i, e := range events {
		fmt.Fprintf(&out, "%s → %s\n", topics[i], e)
	}
	golden(t, "bus.golden", out.String())
	if strings.Contains(out.String(), "env value") {
		t.Error("a value of the environment is in it")
	}
	// However the stream is cut into reads, the same comes out.
	again, _, _ := readBus(oneByte{bytes.NewReader(bytes.Join(frames, nil))})
	if diff := cmp.Diff(events, again); diff != "" {
		t.Errorf("byte by byte\n%s", diff)
	}
}

type oneByte struct{ r io.Reader }

func (o oneByte) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

func message(topic, payload string) []byte {
	return pm2fake.Frame(pm2fake.Text(topic), pm2fake.JSON(payload))
}

func TestBusOddMessages(t *testing.T) {
	const good = "out default/a:1 lines=1"
	ok := message("log:out", `{"process":{"pm_id":1,"name":"a","namespace":"default"},"data":"x\n"}`)
	for name, c := range map[string]struct {
		in   []byte
		want string // of the message; "" if it can not be decoded
	}{
		"retired worker":           {message("process:event", `{"event":"exit","manually":false,"process":{"pm_id":"_old_1","name":"a","status":"stopped"}}`), `lifecycle /a:1 retired lifecycle="exit" status="stopped"`},
		"PM2 itself":               {message("log:PM2", `{"process":{"pm_id":"PM2","name":"PM2"},"data":"App [a:0] online\n"}`), `daemon_log /PM2:-1 text="App [a:0] online\n"`},
		"id as a string":           {message("log:err", `{"process":{"pm_id":"7","name":"a"},"data":"\n\n"}`), `err /a:7 lines=2`},
		"odd ids":                  {message("log:err", `{"process":{"pm_id":{"a":1},"name":["a"]},"data":{"a":"\n"}}`), `err /:-1`},
		"huge id":                  {message("log:err", `{"process":{"pm_id":1e99,"name":"a"},"data":3}`), `err /a:-1`},
		"data before process":      {message("log:out", `{"data":"a\\nb\n","process":{"pm_id":2,"name":"b"}}`), `out /b:2 lines=1`},
		"no payload that is JSON":  {pm2fake.Frame(pm2fake.Text("log:out"), pm2fake.Text("hello")), `out /:-1`},
		"payload null":             {message("process:event", `null`), `lifecycle /:-1`},
		"payload a list":           {message("process:event", `[{"event":"exit"}]`), `lifecycle /:-1`},
		"payload empty":            {pm2fake.Frame(pm2fake.Text("my"), nil), ""},
		"payload cut":              {message("log:out", `{"data":"x`), ""},
		"payload not JSON":         {message("log:out", `{data}`), ""},
		"no prefix":                {pm2fake.Frame([]byte("log:out"), pm2fake.JSON(`{"data":"\n"}`)), `out /:-1 lines=1`},
		"empty topic":              {pm2fake.Frame(nil, pm2fake.JSON(`{}`)), `custom /:-1`},
		"topic of 10 000":          {message("log:out"+strings.Repeat("x", 10000), `{}`), `custom /:-1`},
		"action":                   {message("axm:reply", `{"data":{"process":{"name":"inner"}},"process":{"pm_id":0,"name":"a"}}`), `internal /a:0`},
		"kill":                     {message("pm2:kill", `{"status":"killed"}`), `kill /:-1`},
		"notified":                 {message("process:exception", `{"data":{"message":"m","metadata":{"http":{}}},"process":{"pm_id":0,"name":"a"}}`), `exception /a:0 notified`},
		"metadata deeper down":     {message("process:exception", `{"data":{"x":{"metadata":1}},"process":{"pm_id":0,"name":"a"}}`), `exception /a:0`},
		"manual as text":           {message("process:event", `{"event":"restart","manually":"true","process":{"pm_id":0}}`), `lifecycle /:0 lifecycle="restart"`},
		"event of 10 000":          {message("process:event", `{"event":"`+strings.Repeat("é", 5000)+`","process":{"pm_id":0}}`), `lifecycle /:0 lifecycle="` + strings.Repeat("é", 16) + `"`},
		"no argument":              {pm2fake.Frame(), ""},
		"one argument":             {pm2fake.Frame(pm2fake.Text("log:out")), ""},
		"three arguments":          {pm2fake.Frame(pm2fake.Text("log:out"), pm2fake.JSON("{}"), pm2fake.JSON("{}")), ""},
		"fifteen arguments":        {pm2fake.Frame(make([][]byte, 15)...), ""},
		"nested deeper than taken": {message("log:out", `{"data":`+strings.Repeat(`[`, 5000)+strings.Repeat(`]`, 5000)+`,"process":{"pm_id":1,"name":"a"}}`), `out /a:1`},
		// An app may send any topic; PM2's own log comes from PM2 alone.
		"an app that plays PM2": {message("log:PM2", `{"data":"App [b:0] exited with code [1] via signal [SIGINT]\n","process":{"pm_id":3,"name":"a","namespace":"default"}}`), `custom default/a:3`},
	} {
		t.Run(name, func(t *testing.T) {
			events, bad, err := readBus(bytes.NewReader(append(append(bytes.Clone(ok), c.in...), ok...)))
			if !errors.Is(err, io.EOF) {
				t.Errorf("ended with %v", err)
			}
			want, wantBad := []string{good, c.want, good}, 0
			if c.want == "" {
				want, wantBad = []string{good, good}, 1
			}
			if diff := cmp.Diff(want, events); diff != "" || len(bad) != wantBad {
				t.Errorf("undecodable %q; events (-want +got)\n%s", bad, diff)
			}
		})
	}
}

func TestBusEnds(t *testing.T) {
	ok := message("log:out", `{"data":"x\n"}`)
	for name, c := range map[string]struct {
		in   []byte
		want error
	}{
		"between messages": {ok, io.EOF},
		"in a length":      {append(bytes.Clone(ok), 0x12, 0, 0), io.ErrUnexpectedEOF},
		"in a message":     {ok[:len(ok)-3], io.ErrUnexpectedEOF},
		"out of step":      {append(bytes.Clone(ok), 0xff, 1, 2, 3), axon.ErrVersion},
	} {
		if _, _, err := readBus(bytes.NewReader(c.in)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// An end in the middle is no end between messages.
	for i := 1; i < len(ok); i++ {
		if _, bad, err := readBus(bytes.NewReader(ok[:i])); !errors.Is(err, io.ErrUnexpectedEOF) || len(bad) > 0 {
			t.Errorf("cut at %d: %v, undecodable %q", i, err, bad)
		}
	}
}

// TestBusLargeMessage: heap snapshots pass over the bus.
func TestBusLargeMessage(t *testing.T) {
	const size = 64 << 20
	head := []byte(`j:{"data":{"dump":"`)
	tail := []byte(`"},"process":{"pm_id":1,"name":"a"}}`)
	n := len(head) + size + len(tail)
	stream := io.MultiReader(
		bytes.NewReader([]byte{0x12}), bytes.NewReader(pm2fake.Frame(pm2fake.Text("profilings"))[1:]),
		bytes.NewReader([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}),
		bytes.NewReader(head), io.LimitReader(text{}, size), bytes.NewReader(tail),
		bytes.NewReader(message("log:out", `{"data":"x\n"}`)),
	)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	events, bad, err := readBus(stream)
	runtime.ReadMemStats(&after)
	if diff := cmp.Diff([]string{"internal /a:1", "out /:-1 lines=1"}, events); diff != "" || len(bad) > 0 || !errors.Is(err, io.EOF) {
		t.Errorf("bad %q, end %v, events\n%s", bad, err, diff)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
		t.Errorf("%d KiB were allocated", grown>>10)
	}
}

type text struct{}

func (text) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// TestBusFloodMakesNoGarbage: a million lines a minute should not cost the
// agent a million allocations.
func TestBusFloodMakesNoGarbage(t *testing.T) {
	frame := message("log:out", `{"process":{"pm_id":1,"name":"web","namespace":"default"},"data":"a line\n"}`)
	const n = 20_000
	flood := bytes.NewReader(bytes.Repeat(frame, n))
	var before, after runtime.MemStats
	lines := 0
	runtime.ReadMemStats(&before)
	_ = NewBus(flood).Read(func(ev *Event) { lines += ev.Lines }, func(err error) { t.Error(err) })
	runtime.ReadMemStats(&after)
	if per := float64(after.Mallocs-before.Mallocs) / n; lines != n || per > 4 {
		t.Errorf("%d lines, %.1f allocations for each", lines, per)
	}
}

func FuzzBus(f *testing.F) {
	_, frames := recordedBus(f)
	for _, frame := range frames[:40] {
		f.Add(frame)
	}
	f.Add(bytes.Join(frames[40:60], nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		n := 0
		err := NewBus(bytes.NewReader(data)).Read(func(ev *Event) {
			n++
			if len(ev.Name) > maxName || len(ev.Namespace) > maxName || len(ev.Lifecycle) > 96 || len(ev.Text) > maxRawName || ev.PMID < -1 {
				t.Errorf("out of bounds: %+v", ev)
			}
		}, func(error) { n++ })
		if err == nil || n > len(data) {
			t.Errorf("%d messages of %d bytes, end %v", n, len(data), err)
		}
	})
}

func BenchmarkBus(b *testing.B) {
	_, frames := recordedBus(b)
	data := bytes.Join(frames, nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		_ = NewBus(bytes.NewReader(data)).Read(func(*Event) {}, func(error) {})
	}
}
