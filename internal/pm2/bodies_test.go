package pm2

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// bodies returns what a bus that takes bodies gives for a stream.
func bodies(stream io.Reader) (events []Event, bad []error) {
	b := NewBus(stream)
	b.TakeBodies(time.Now)
	_ = b.Read(func(ev *Event) {
		e := *ev
		e.Chunk = bytes.Clone(ev.Chunk)
		events = append(events, e)
	}, func(err error) { bad = append(bad, err) })
	return events, bad
}

func body(t *testing.T, topic, payload string) Event {
	t.Helper()
	events, bad := bodies(bytes.NewReader(message(topic, payload)))
	if len(events) != 1 || len(bad) > 0 {
		t.Fatalf("%d events, %v", len(events), bad)
	}
	return events[0]
}

func showBody(ev *Event) string {
	switch {
	case ev.Thrown != nil:
		t := ev.Thrown
		return fmt.Sprintf("thrown %q %q %q handled=%v non_error=%v stack=%d lines, source=%d lines, at %q, %s %s context=%s",
			t.Name, t.Code, t.Message, t.ByApp, t.NonError, strings.Count(t.Stack, "\n"), strings.Count(t.Source, "\n"), t.Callsite, t.Method, t.Route, t.Context)
	case ev.Custom != nil:
		return fmt.Sprintf("custom %q %s", ev.Custom.Name, ev.Custom.Data)
	case ev.Life != nil:
		return fmt.Sprintf("life %+v", *ev.Life)
	case ev.Chunk != nil:
		return fmt.Sprintf("text %q", ev.Chunk)
	}
	return "nothing"
}

func TestBodiesOfRecordedBus(t *testing.T) {
	topics, frames := recordedBus(t)
	events, bad := bodies(bytes.NewReader(bytes.Join(frames, nil)))
	if len(bad) > 0 || len(events) != len(frames) {
		t.Fatalf("%d of %d messages, %v", len(events), len(frames), bad)
	}
	var out strings.Builder
	for i := range events {
		if text := showBody(&events[i]); text != "nothing" {
			fmt.Fprintf(&out, "%s → %s\n", topics[i], text)
		}
	}
	golden(t, "bodies.golden", out.String())
	if strings.Contains(out.String(), "env value") {
		t.Error("a value of the environment is in it")
	}
}

func TestBodiesOfRecordedExt(t *testing.T) {
	files, err := filepath.Glob("testdata/ext/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	thrown, custom := map[string]int{}, 0
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			var m struct {
				Topic   string
				Payload json.RawMessage
			}
			if err := json.Unmarshal([]byte(line), &m); err != nil {
				t.Fatal(err)
			}
			if m.Payload == nil {
				continue
			}
			ev := body(t, m.Topic, string(m.Payload))
			switch {
			case ev.Thrown != nil:
				x := ev.Thrown
				thrown[x.Kind]++
				if x.PID == 0 || x.Start == 0 || !record.ValidID(x.ID) || x.At.IsZero() || x.Stack == "" || x.Occurrences != 1 || x.ByApp != (x.Kind == "handled" || x.Kind == "notified") {
					t.Errorf("%s: %+v", f, x)
				}
			case ev.Custom != nil:
				custom++
				if c := ev.Custom; c.Name != "order.placed" || string(c.Data) != `{"order":7}` || !record.ValidID(c.ID) {
					t.Errorf("%s: %+v", f, c)
				}
			}
		}
	}
	if thrown["uncaught"] != 2 || thrown["rejection"] != 2 || thrown["handled"] != 10 || thrown["notified"] != 2 || custom != 2 {
		t.Errorf("exceptions %v, %d events", thrown, custom)
	}
}

func TestOddBodies(t *testing.T) {
	const process = `"process":{"pm_id":1,"name":"a","namespace":"default","env":{"SECRET":"canary"},"TOKEN":"canary"}`
	for name, c := range map[string]struct{ topic, data, want string }{
		"a text":             {"process:exception", `"boom"`, `thrown "" "" "boom" handled=false non_error=true`},
		"nothing":            {"process:exception", `{}`, `thrown "" "" "" handled=false non_error=true`},
		"characters":         {"process:exception", `{"0":"订","1":"x","length":2}`, `thrown "" "" "订x" handled=false non_error=true`},
		"other properties":   {"process:exception", `{"message":"m","stack":"s","code":42,"config":{"headers":"canary"},"env":"canary"}`, `thrown "" "42" "m" handled=false non_error=false`},
		"a request":          {"process:exception", `{"message":"m","metadata":{"http":{"url":"/x?canary","method":"GET","route":"/x/:id","query":{"a":"canary"},"body":"canary"},"custom":{"user":7}}}`, `GET /x/:id context={"custom":{"user":7}}`},
		"context too large":  {"process:exception", `{"message":"m","metadata":{"big":"` + strings.Repeat("x", 9000) + `","n":1}}`, `context={"n":1}`},
		"no such topic":      {"my:event", `{"order":42}`, `custom "my:event" {"order":42}`},
		"no object":          {"my:event", `[1,2]`, `custom "my:event" {"value":[1,2]}`},
		"deep":               {"my:event", strings.Repeat("[", 40) + strings.Repeat("]", 40), `custom "my:event" `},
		"not JSON inside":    {"my:event", `{"a":b}`, `custom "my:event" `},
		"a topic in lines":   {"my\nevent", `{"a":1}`, "custom \"my\uFFFDevent\" {\"a\":1}"},
		"io.emit":            {"human:event", `{"user":"x","__name":"user:registered"}`, `custom "user:registered" {"user":"x"}`},
		"io.emit, no name":   {"human:event", `{"user":"x"}`, `custom "human:event" {"user":"x"}`},
		"a message":          {"process:msg", `{"k":1}`, `custom "process:msg" {"k":1}`},
		"half of a log line": {"log:err", `"` + strings.Repeat("x", 20_000) + `\nthe \u8ba2\u5355 end\n"`, "end\\n"},
	} {
		t.Run(name, func(t *testing.T) {
			ev := body(t, c.topic, `{"data":`+c.data+`,`+process+`}`)
			got := showBody(&ev)
			if !strings.Contains(got, c.want) {
				t.Errorf("%s\nwant %s", got, c.want)
			}
			if strings.Contains(fmt.Sprintf("%+v %+v %+v", ev.Thrown, ev.Custom, ev.Life), "canary") {
				t.Errorf("a secret: %+v", ev)
			}
		})
	}
}

func TestBadExtBodies(t *testing.T) {
	for _, data := range []string{
		`null`, `{}`, `{"v":2}`, `{"v":1,"pid":1,"start":1764100000123,"id":"x"}`,
		`{"v":1,"pid":1,"start":1764100000123,"id":"01a214c1-3db6-734a-9db8-a0a6ba96f333","kind":"odd","occurrences":1}`,
		`{"v":1,"pid":1,"start":1764100000123,"id":"01a214c1-3db6-734a-9db8-a0a6ba96f333","kind":"uncaught","occurrences":0}`,
	} {
		events, bad := bodies(bytes.NewReader(message(TopicException, `{"data":`+data+`,`+sender+`}`)))
		if len(events) != 0 || len(bad) != 1 || !errors.Is(bad[0], errReport) {
			t.Errorf("%s: %d events, %v", data, len(events), bad)
		}
	}
}

// TestChunkBudget: what an app writes beyond its budget is counted and not
// read, and another app's is.
func TestChunkBudget(t *testing.T) {
	text := strings.Repeat("x", 1000) + `\n`
	loud := message("log:out", `{"process":{"pm_id":1,"name":"loud"},"data":"`+text+`"}`)
	worker := message("log:out", `{"data":"`+text+`","process":{"pm_id":2,"name":"worker"}}`)
	quiet := message("log:out", `{"process":{"pm_id":3,"name":"quiet"},"data":"hello\n"}`)
	var in bytes.Buffer
	for range 200 {
		in.Write(loud)
		in.Write(worker)
	}
	in.Write(quiet)
	now := time.Unix(1, 0)
	b := NewBus(&in)
	b.TakeBodies(func() time.Time { return now })
	read, skipped, lines := map[string]int{}, map[string]int{}, 0
	_ = b.Read(func(ev *Event) {
		read[ev.Name] += len(ev.Chunk)
		lines += ev.Lines
		if ev.Skipped {
			skipped[ev.Name]++
		}
	}, func(err error) { t.Error(err) })
	for _, name := range []string{"loud", "worker"} {
		if read[name] < chunkSecond/2 || read[name] > chunkSecond+2000 || skipped[name] < 100 {
			t.Errorf("%s: %d bytes were read, %d messages were not", name, read[name], skipped[name])
		}
	}
	if read["quiet"] != 6 || skipped["quiet"] != 0 || lines != 401 {
		t.Errorf("quiet: %d bytes, %d lines in all", read["quiet"], lines)
	}
}

// TestDaemonBudget: many loud apps together are read within a bound too.
func TestDaemonBudget(t *testing.T) {
	var in bytes.Buffer
	for id := range 100 {
		for range 70 {
			in.Write(message("log:out", fmt.Sprintf(`{"process":{"pm_id":%d,"name":"loud"},"data":"%s\n"}`, id, strings.Repeat("x", 1000))))
		}
	}
	now := time.Unix(1, 0)
	b := NewBus(&in)
	b.TakeBodies(func() time.Time { return now })
	read, skipped, lines := 0, 0, 0
	_ = b.Read(func(ev *Event) {
		read += len(ev.Chunk)
		lines += ev.Lines
		if ev.Skipped {
			skipped++
		}
	}, func(err error) { t.Error(err) })
	if read < daemonSecond/2 || read > daemonSecond+2000 || lines != 7000 || read/1001+skipped != lines {
		t.Errorf("%d bytes were read, %d messages were not, %d lines", read, skipped, lines)
	}
}

// TestFloodWithBodies: reading the end of each chunk must not cost what reading
// all of it would.
func TestFloodWithBodies(t *testing.T) {
	frame := message("log:out", `{"process":{"pm_id":1,"name":"web","namespace":"default"},"data":"`+strings.Repeat(`a line of text\n`, 4000)+`"}`)
	const n = 1000
	b := NewBus(bytes.NewReader(bytes.Repeat(frame, n)))
	b.TakeBodies(time.Now)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	lines := 0
	_ = b.Read(func(ev *Event) { lines += ev.Lines }, func(err error) { t.Error(err) })
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; lines != 4000*n || grown > 2<<20 {
		t.Errorf("%d lines, %d KiB allocated", lines, grown>>10)
	}
}

func FuzzBodies(f *testing.F) {
	_, frames := recordedBus(f)
	for _, frame := range frames[:60] {
		f.Add(frame)
	}
	f.Add(message(TopicException, `{"data":{"v":1,"pid":1,"start":1764100000123,"id":"01a214c1-3db6-734a-9db8-a0a6ba96f333","kind":"uncaught","occurrences":3,"causes":[{"name":"a"}],"route":{"m":"GET","r":"/"},"context":{"a":1}},`+sender+`}`))
	f.Add(message(TopicEvent, `{"data":{"v":1,"pid":1,"start":1764100000123,"id":"01a214c1-3db6-734a-9db8-a0a6ba96f333","name":"n","data":[1]},`+sender+`}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		events, _ := bodies(bytes.NewReader(data))
		for i := range events {
			ev := &events[i]
			if x := ev.Thrown; x != nil {
				bad := len(x.Name) > record.MaxName || len(x.Code) > record.MaxName || len(x.Message) > record.MaxMessage || len(x.Stack) > record.MaxStack ||
					len(x.Context) > record.MaxJSON || len(x.Causes) > record.MaxCauses || x.Occurrences == 0 || !utf8.ValidString(x.Message+x.Stack+x.Name+x.Source+x.Route)
				if bad || x.Context != nil && !json.Valid(x.Context) {
					t.Errorf("out of bounds: %+v", x)
				}
			}
			if c := ev.Custom; c != nil && (len(c.Name) > record.MaxName || len(c.Data) > record.MaxJSON+16 || c.Data != nil && !json.Valid(c.Data)) {
				t.Errorf("out of bounds: %+v", c)
			}
			if len(ev.Chunk) > maxChunk {
				t.Errorf("%d bytes of text", len(ev.Chunk))
			}
		}
	})
}

func BenchmarkBusFlood(b *testing.B) {
	frame := message("log:out", `{"process":{"pm_id":1,"name":"web","namespace":"default"},"data":"`+strings.Repeat(`a line of about a hundred bytes, as a busy app writes them to its standard output all day long, ok\n`, 600)+`"}`)
	data := bytes.Repeat(frame, 20)
	for name, take := range map[string]bool{"counted": false, "text": true} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				bus := NewBus(bytes.NewReader(data))
				if take {
					bus.TakeBodies(time.Now)
				}
				_ = bus.Read(func(*Event) {}, func(error) {})
			}
		})
	}
}
