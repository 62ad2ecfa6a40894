package ledger_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// BenchmarkReports is one round of reports of a hundred processes with fifty
// series each, from the bytes on the bus to the counters. There is one such
// round every 5 s.
func BenchmarkReports(b *testing.B) {
	start := time.Now()
	l := ledger.New(start.Add(-time.Hour))
	var in bytes.Reader
	count := 0
	round := func() []byte {
		count++
		var out bytes.Buffer
		for process := range 100 {
			var series []string
			for route := range 50 {
				series = append(series, fmt.Sprintf(`["GET","/r/%d","2xx",%d,1.5,[%[2]d,0,0,0,0,0,0,0,0,0,0,0,0],0,[[-80,0,0,0,%[2]d,0,0,0,0,0,0,0,0,0,0,0,0,0]]]`, route, count))
			}
			out.Write(pm2fake.Frame(pm2fake.Text(pm2.TopicReport), pm2fake.JSON(fmt.Sprintf(
				`{"at":%d,"data":{"v":1,"pid":%d,"start":%[1]d,"seq":%[3]d,"full":false,"http":{"le":[0.005,0.01,0.025,0.05,0.1,0.2,0.3,0.5,0.6,1,2.5,5,10],"schema":3,"inflight":0,"collapsed":0,"series":[%[4]s]}},"process":{"pm_id":%[2]d,"name":"app%[2]d","namespace":"default"}}`,
				start.UnixMilli(), process+1, count, strings.Join(series, ",")))))
		}
		return out.Bytes()
	}
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		frames := round()
		in.Reset(frames)
		b.SetBytes(int64(len(frames)))
		b.StartTimer()
		bus := pm2.NewBus(&in)
		_ = bus.Read(func(ev *pm2.Event) {
			if err := l.Report(ev, start); err != nil {
				b.Fatal(err)
			}
		}, func(err error) { b.Fatal(err) })
	}
}
