package simagent

import (
	"fmt"
	"math"
	"time"

	"github.com/pm25/pm25/internal/pm2"
)

// route is one series of requests: how many there are for each line of the
// log, and which share of them takes about as long as durations says.
type route struct {
	method, path, code string
	share              float64
	shares             [len(durations)]float64
}

// durations are in seconds.
var durations = [...]float64{0.004, 0.02, 0.08, 0.25, 0.55, 1.8, 7}

var routes = []route{
	{"GET", "/", "2xx", 0.5, [...]float64{0.7, 0.25, 0.05, 0, 0, 0, 0}},
	{"GET", "/items/:id", "2xx", 0.35, [...]float64{0.2, 0.5, 0.2, 0.07, 0.02, 0.01, 0}},
	{"GET", "/items/:id", "4xx", 0.02, [...]float64{1, 0, 0, 0, 0, 0, 0}},
	{"POST", "/orders", "2xx", 0.1, [...]float64{0, 0.1, 0.5, 0.25, 0.1, 0.04, 0.01}},
	{"POST", "/orders", "5xx", 0.002, [...]float64{0, 0, 0, 0, 0.5, 0.5, 0}},
	{"GET", "/export", "aborted", 0.001, [...]float64{0, 0, 0, 0, 0, 0.5, 0.5}},
}

// report is what pm25-ext would tell of the process: counts that only grow
// with the time that it has run.
func (p *process) report(now time.Time) *pm2.Report {
	up := now.Sub(p.pm2.StartedAt).Seconds()
	seq := uint64(max(1, now.Sub(p.pm2.StartedAt)/(5*time.Second)))
	r := &pm2.Report{PID: p.pm2.PID, Start: p.pm2.StartedAt.UnixMilli() + 40, Seq: seq, Full: true}
	r.Runtime = p.runtime(now, up)
	if p.pm2.ExecMode != "cluster" {
		return r
	}
	r.HTTP, r.InFlight = true, math.Round(2*(1+p.wave(now, 4*time.Minute)))
	for i := range routes {
		if s := p.series(&routes[i], up); s.Count > 0 {
			r.Series = append(r.Series, s)
		}
	}
	if n := len(r.Series); n > 3 {
		r.Slow = []pm2.SlowRequest{{
			ID: fmt.Sprintf("00000000-0000-7000-8000-%012x", now.Unix()), Method: "POST", Route: "/orders", Code: "2xx",
			Seconds: 1.8, At: now.UnixMilli(),
		}}
	}
	return r
}

func (p *process) series(r *route, up float64) pm2.ReportSeries {
	s := pm2.ReportSeries{Method: r.method, Route: r.path, Code: r.code}
	bounds := pm2.ReportBounds()
	for i, seconds := range durations {
		n := uint64(up * p.role.logs * 3 * r.share * r.shares[i])
		if n == 0 {
			continue
		}
		s.Count += n
		s.Sum += float64(n) * seconds
		for j, bound := range bounds {
			if seconds <= bound {
				s.Classic[j] += n
				break
			}
		}
		s.Native = append(s.Native, pm2.ReportBucket{Index: int(math.Ceil(math.Log2(seconds) * 8)), Count: n})
	}
	return s
}

func (p *process) runtime(now time.Time, up float64) *pm2.Runtime {
	used := p.memory(now) * 0.5
	busy := min(0.9, p.role.cpu)
	minor, major := uint64(up/3), uint64(up/90)
	r := pm2.Runtime{
		HeapUsed: used, HeapTotal: used * 1.3, HeapLimit: 2096 * mib, External: 3 * mib, ArrayBuffers: mib, HeapAfterGC: used * 0.8,
		Active: up * busy, Idle: up * (1 - busy), Delay: [7]float64{0, busy / 300, busy / 8, busy / 200, busy / 400, busy / 100, busy / 20},
		DelayMax: busy / 5, Handles: 6, Requests: 0,
	}
	r.GC[0] = pm2.GC{Count: major, Sum: float64(major) * 0.02, Buckets: [6]uint64{2: major}}
	r.GC[1] = pm2.GC{Count: minor, Sum: float64(minor) * 0.002, Buckets: [6]uint64{1: minor}}
	return &r
}

// hear takes the reports of all processes, and the slow requests that an app
// without the extension tells of. The caller has the lock.
func (h *Host) hear(now time.Time) {
	for _, p := range h.processes {
		if !p.pm2.Running() {
			continue
		}
		ev := pm2.Event{Kind: pm2.EventReport, Name: p.pm2.Name, Namespace: p.pm2.Namespace, PMID: p.pm2.PMID}
		if p.role.old {
			ev.Kind, ev.Method, ev.Code = pm2.EventTransaction, "GET", "2xx"
			h.ledger.Event(&ev, now)
			continue
		}
		ev.Report = p.report(now)
		if err := h.ledger.Report(&ev, now); err != nil {
			panic(err) // these reports are made here
		}
	}
}
