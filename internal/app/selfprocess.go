package app

import (
	"os"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/procfs"
)

// selfProcess exposes the agent's own process under client_golang's names. Its
// collector reads and parses a dozen files for that at each scrape, some of
// them as long as the host has CPUs, and costs more than all processes of a
// small PM2.
type selfProcess struct {
	source                         procfs.Source
	cpu, resident, fds, maxFDs, at *prometheus.Desc
}

func newSelfProcess(source procfs.Source) *selfProcess {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &selfProcess{
		source:   source,
		cpu:      desc("process_cpu_seconds_total", "Total user and system CPU time spent in seconds."),
		resident: desc("process_resident_memory_bytes", "Resident memory size in bytes."),
		fds:      desc("process_open_fds", "Number of open file descriptors."),
		maxFDs:   desc("process_max_fds", "Maximum number of open file descriptors."),
		at:       desc("process_start_time_seconds", "Start time of the process since unix epoch in seconds."),
	}
}

// Describe lists the metrics.
func (s *selfProcess) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{s.cpu, s.resident, s.fds, s.maxFDs, s.at} {
		out <- d
	}
}

// Collect reads them; what can not be read is left out.
func (s *selfProcess) Collect(out chan<- prometheus.Metric) {
	own, err := s.source.Read(os.Getpid(), time.Time{}, time.Time{})
	if err != nil {
		return
	}
	gauge := func(d *prometheus.Desc, v float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v)
	}
	out <- prometheus.MustNewConstMetric(s.cpu, prometheus.CounterValue, own.UserSeconds+own.SystemSeconds)
	gauge(s.resident, float64(own.ResidentBytes))
	gauge(s.at, float64(own.StartTime.UnixMilli())/1000)
	if own.OpenFDs >= 0 {
		gauge(s.fds, float64(own.OpenFDs))
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err == nil {
		gauge(s.maxFDs, float64(limit.Cur))
	}
}
