package ship

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/record"
)

func benchShipper(b *testing.B, dir string) *Shipper {
	b.Helper()
	s, err := Open(Options{
		Dir: dir, URL: "http://127.0.0.1:1", TokenFile: tokenFile(b), Host: "h", Logger: log.NewNopLogger(), Now: time.Now,
	})
	ok(b, err)
	return s
}

// typical is an exception of about 2 KB.
func typical() *record.Record {
	r := numbered(0)
	r.Kind, r.Level, r.Message = record.Exception, record.LevelError, ""
	frame := record.Frame{Function: "handler", File: "routes/users.js", Line: 12, Column: 7, InApp: true}
	r.Exception = &record.ExceptionInfo{
		Fingerprint: strings.Repeat("a", 64), Algo: 1, Title: "TypeError: x is not a function", Culprit: "handler (routes/users.js)",
		Name: "TypeError", Message: "x is not a function", Stack: strings.Repeat("    at handler (/srv/shop/routes/users.js:12:7)\n", 15),
		Frames: []record.Frame{frame, frame, frame, frame, frame}, Mechanism: record.Uncaught,
	}
	return r
}

// BenchmarkPut is a record on disk with a sync of its own.
func BenchmarkPut(b *testing.B) {
	s := benchShipper(b, b.TempDir())
	defer s.Close()
	b.ReportAllocs()
	for b.Loop() {
		ok(b, s.Put(b.Context(), typical()))
	}
}

// BenchmarkPutTogether is 64 callers that share syncs.
func BenchmarkPutTogether(b *testing.B) {
	s := benchShipper(b, b.TempDir())
	defer s.Close()
	b.ReportAllocs()
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ok(b, s.Put(b.Context(), typical()))
		}
	})
}

// BenchmarkOffer is a record that nobody waits for, on its way to the disk.
func BenchmarkOffer(b *testing.B) {
	s := benchShipper(b, b.TempDir())
	defer s.Close()
	r := typical()
	b.ReportAllocs()
	for b.Loop() {
		for s.queue.waiting() > maxQueueRecords/4 {
			time.Sleep(time.Millisecond) // the disk is slower
		}
		if !s.Offer(r) {
			b.Fatal("it is dropped")
		}
	}
}

// BenchmarkMemory tells the heap of a shipper that is idle, and of one with 100 000
// records on disk, after a start.
func BenchmarkMemory(b *testing.B) {
	for _, bench := range []struct {
		name    string
		records int
	}{{"idle", 0}, {"100k", 100_000}} {
		b.Run(bench.name, func(b *testing.B) {
			dir := b.TempDir()
			s := benchShipper(b, dir)
			for range bench.records {
				for !s.Offer(typical()) {
					time.Sleep(time.Millisecond)
				}
			}
			ok(b, s.Close())
			s = nil
			for b.Loop() {
				s = nil
				before := heap()
				began := time.Now()
				s = benchShipper(b, dir)
				b.ReportMetric(float64(time.Since(began).Milliseconds()), "open-ms")
				b.ReportMetric(float64(heap()-before)/1024, "KiB-heap")
				if n, _ := s.spool.Pending(); int(n) != bench.records {
					b.Fatalf("%d records", n)
				}
				ok(b, s.Close())
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// counting answers with a receipt for all that comes.
type counting struct{ records, bytes int }

func (c *counting) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	c.bytes += len(body)
	b, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(b)
	if err != nil {
		return nil, err
	}
	n := bytes.Count(text, []byte(`{"v":1,"id":`))
	c.records += n
	answer := fmt.Sprintf(`{"stored":%d}`, n)
	return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(answer)), Header: http.Header{}, Request: r}, nil
}

// BenchmarkSend reads records, makes bodies of them and takes receipts.
func BenchmarkSend(b *testing.B) {
	s := benchShipper(b, b.TempDir())
	defer s.Close()
	to := &counting{}
	s.pusher.client.Transport = to
	s.pushed, s.o.linger = time.Now(), 1
	for b.Loop() {
		b.StopTimer()
		for range 10_000 {
			for !s.Offer(typical()) {
				time.Sleep(time.Millisecond)
			}
		}
		for s.queue.waiting() > 0 {
			time.Sleep(time.Millisecond)
		}
		b.StartTimer()
		for {
			if n, _ := s.spool.Pending(); n == 0 {
				break
			}
			s.turn(b.Context())
		}
		b.StopTimer()
		busy := heap()
		s.pusher.rest() // as when there is nothing to send
		b.ReportMetric(float64(busy-heap())/1024, "KiB-while-busy")
		b.StartTimer()
	}
	b.ReportMetric(float64(to.records)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(to.bytes)/float64(to.records), "wire-B/record")
}
