package watch

import (
	"bytes"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/recorder"
)

// TestFlood: whatever passes over the bus, and whoever asks meanwhile, the bus
// is drained; the fake daemon fails the test otherwise.
func TestFlood(t *testing.T) { flood(t, nil) }

// slowSink has hardly time for a record.
type slowSink struct{}

func (slowSink) Offer(*record.Record) bool { time.Sleep(10 * time.Millisecond); return false }

// TestFloodWhileRecording: nor does it wait for records.
func TestFloodWhileRecording(t *testing.T) {
	rec := recorder.New(recorder.Options{
		Host: "h", Daemon: "test", Sink: slowSink{}, Now: time.Now, LogLines: 20,
		Tools: recorder.Tools{Fill: func(string, *record.ExceptionInfo) {}, Ring: func() recorder.Ring { return noRing{} }},
	})
	go rec.Run()
	defer rec.Close()
	flood(t, func(o *Options) { o.Recorder = rec })
	if left := rec.Dropped(); left[3] == 0 {
		t.Errorf("all text of the flood was read: %v", left)
	}
}

type noRing struct{}

func (noRing) Add(string, []byte, time.Time) {}
func (noRing) Last(int) []record.LogLine     { return nil }

func flood(t *testing.T, change func(*Options)) {
	t.Helper()
	d := pm2fake.New(t)
	d.SetList(apps(3))
	w := follow(t, d, change)
	for !w.view(time.Second).Up {
		time.Sleep(10 * time.Millisecond)
	}
	line := pm2fake.Frame(pm2fake.Text("log:out"), pm2fake.Encode(map[string]any{"process": pm2fake.Process("app1", 1), "data": "a line\nanother\n"}))
	chunk := bytes.Repeat(line, 1000)
	big := pm2fake.Frame(pm2fake.Text("profilings"), pm2fake.JSON(`{"data":"`+string(bytes.Repeat([]byte("x"), 7<<20))+`"}`))
	const chunks = 60
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for i := range chunks {
			if i%20 == 0 {
				d.PublishRaw(big)
			}
			d.PublishRaw(chunk)
		}
	})
	wg.Go(func() { // a slow consumer of views, as a scrape is
		for {
			select {
			case <-done:
				return
			default:
				w.view(time.Second)
				w.Ledger(func(*ledger.Ledger) { time.Sleep(5 * time.Millisecond) })
			}
		}
	})
	wg.Wait()
	want := uint64(2 * 1000 * chunks)
	deadline := time.Now().Add(10 * time.Second)
	var got uint64
	for got != want && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
		w.Ledger(func(l *ledger.Ledger) {
			got = l.App(ledger.AppKey{Namespace: "default", App: "app1"}).LogLines[0]
		})
	}
	if got != want {
		t.Errorf("%d lines are counted, want %d", got, want)
	}
	if v := w.view(time.Second); v.Stats.DecodeErrors > 0 || v.Stats.Connects != 1 {
		t.Errorf("%+v", v.Stats)
	}
}
