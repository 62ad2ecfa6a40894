package exporter

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/watch"
)

// What a scrape costs without PM2 and /proc: everything from views to text.
func BenchmarkScrape(b *testing.B) {
	for _, n := range []int{1, 50, 500} {
		e := manyProcesses(b, n)
		b.Run(fmt.Sprintf("gather-%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				e.Gather(context.Background(), nil)
			}
		})
		for name, accept := range map[string]string{
			"text": "text/plain;version=0.0.4", "openmetrics": "application/openmetrics-text;version=1.0.0",
		} {
			h := e.Handler(HandlerOptions{})
			b.Run(fmt.Sprintf("%s-%d", name, n), func(b *testing.B) {
				req := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				req.Header.Set("Accept", accept)
				b.ReportAllocs()
				var w countingWriter
				for b.Loop() {
					w = countingWriter{header: http.Header{}}
					h.ServeHTTP(&w, req)
				}
				b.ReportMetric(float64(w.bytes), "bytes/answer")
			})
		}
	}
}

// countingWriter throws answers away.
type countingWriter struct {
	header http.Header
	bytes  int
}

func (w *countingWriter) Header() http.Header         { return w.header }
func (w *countingWriter) WriteHeader(int)             {}
func (w *countingWriter) Write(b []byte) (int, error) { w.bytes += len(b); return len(b), nil }

func manyProcesses(b *testing.B, n int) *Exporter {
	b.Helper()
	started := now.Add(-time.Hour)
	list := make([]pm2.Process, n)
	source := fixedSource{50: sampleOf(50, started)}
	for i := range list {
		list[i] = pm2.Process{
			Name: fmt.Sprintf("app-%03d", i), Namespace: "default", PMID: i, PID: 1000 + i, UniqueID: fmt.Sprint("u", i), Status: "online",
			StartedAt: started, ExecMode: "fork", Interpreter: "node", NodeVersion: "20.20.2", Version: "1.2.0",
		}
		source[1000+i] = sampleOf(1000+i, started)
	}
	l := ledger.New(started)
	l.Apply(list, now)
	v := watch.View{Label: "deploy", Up: true, Version: "7.0.4", Peer: discovery.Peer{PID: 50, StartTicks: 99}}
	for i := range list {
		v.Processes = append(v.Processes, watch.ProcessView{Process: &list[i], Key: l.Key(&list[i]), HostPID: list[i].PID})
	}
	host, err := NewHostCollector(func(func() []string) (procfs.Host, error) { return fixedHost{}, nil })
	if err != nil {
		b.Fatal(err)
	}
	e, err := New(Options{
		Collectors: []Collector{NewDaemonCollector(source), NewProcessCollector(source), NewAppCollector(), NewCustomCollector(1), host},
		Daemons:    func() []Daemon { return []Daemon{&fixedDaemon{v, l}} }, Agent: fixedAgent{}, Logger: log.NewNopLogger(), Now: time.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	return e
}
