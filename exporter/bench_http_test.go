package exporter

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/watch"
)

// BenchmarkRequests is a scrape of apps with five routes each.
func BenchmarkRequests(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		l := ledger.New(now)
		list := make([]pm2.Process, n)
		v := watch.View{Label: "deploy", Up: true}
		for i := range list {
			list[i] = pm2.Process{Name: fmt.Sprint("app", i), Namespace: "default", PMID: i, PID: i + 1, UniqueID: fmt.Sprint(i), Status: "online", StartedAt: now}
		}
		l.Apply(list, now)
		for i := range list {
			v.Processes = append(v.Processes, watch.ProcessView{Process: &list[i], Key: l.Key(&list[i])})
			r := pm2.NoRuntime()
			report := &pm2.Report{PID: i + 1, Start: now.UnixMilli() + 1, Seq: 1, Full: true, HTTP: true, Runtime: &r}
			for route := range 5 {
				s := pm2.ReportSeries{Method: "GET", Route: fmt.Sprintf("/route/%d", route), Code: "2xx", Count: 40, Sum: 3, Classic: [13]uint64{20, 10, 5, 5}}
				for bucket := range 40 {
					s.Native = append(s.Native, pm2.ReportBucket{Index: bucket - 60, Count: 1})
				}
				report.Series = append(report.Series, s)
			}
			if err := l.Report(&pm2.Event{Name: list[i].Name, Namespace: "default", PMID: i, Report: report}, now); err != nil {
				b.Fatal(err)
			}
		}
		e, err := New(Options{
			Collectors: []Collector{NewHTTPCollector(clock), NewNodejsCollector(clock)},
			Daemons:    func() []Daemon { return []Daemon{&fixedDaemon{v, l}} }, Agent: fixedAgent{}, Logger: log.NewNopLogger(), Now: time.Now,
		})
		if err != nil {
			b.Fatal(err)
		}
		h := e.Handler(HandlerOptions{})
		for name, accept := range map[string]string{"text": "text/plain", "protobuf": protobufAccept} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept", accept)
				b.ReportAllocs()
				var w countingWriter
				for b.Loop() {
					w = countingWriter{header: http.Header{}}
					h.ServeHTTP(&w, r)
				}
				b.ReportMetric(float64(w.bytes), "bytes/answer")
			})
		}
	}
}
