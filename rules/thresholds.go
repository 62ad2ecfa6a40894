package rules

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Thresholds are the numbers that rules compare with and that boards draw. Ratios
// are from 0 to 1, times in seconds, sizes in bytes. Their YAML names are what
// expressions call them. All have to be positive.
type Thresholds struct {
	CrashLoopEnds    float64 `yaml:"crash_loop_ends"`   // Ends of an app in ten minutes that nobody asked for: as many are a crash loop.
	FrequentRestarts float64 `yaml:"frequent_restarts"` // Restarts of an app in an hour, for any reason but deploys and timers: as many are frequent.
	StoppedSeconds   float64 `yaml:"stopped_seconds"`   // How long a process may stay stopped before somebody is asked whether it was forgotten.
	CronLateSeconds  float64 `yaml:"cron_late_seconds"` // How much later than it was due a cron job may start.

	HostMemoryAvailableRatio float64 `yaml:"host_memory_available_ratio"` // Share of a host's memory that has to be available.
	HostLoadPerCPU           float64 `yaml:"host_load_per_cpu"`           // Load of 15 minutes for each CPU.
	DiskAvailableRatio       float64 `yaml:"disk_available_ratio"`        // Share of a file system that has to be free.
	DiskFillSeconds          float64 `yaml:"disk_fill_seconds"`           // A file system that is full within this time, at the pace of the last hour, is filling.
	LogFileBytes             float64 `yaml:"log_file_bytes"`              // Size of an app's log files that rotation should not let them reach.

	MemoryNearLimitRatio float64 `yaml:"memory_near_limit_ratio"` // Share of the memory limit at which a restart is near.
	MemoryLimitRestarts  float64 `yaml:"memory_limit_restarts"`   // Restarts by the memory limit within six hours: as many are a leak.
	MemoryHostRatio      float64 `yaml:"memory_host_ratio"`       // Share of the host's memory that a process without a memory limit may use.
	HeapGrowthRatio      float64 `yaml:"heap_growth_ratio"`       // Share of its limit that memory has to be heading for to be a leak: within 15 hours, or three days for NodeHeapLeakSlow.
	LeakFit              float64 `yaml:"leak_fit"`                // How well a straight line has to fit what grows: R² from 0 to 1.

	HungSeconds                  float64 `yaml:"hung_seconds"`                   // How long a process that is online may be silent.
	EventLoopUtilization         float64 `yaml:"eventloop_utilization"`          // Share of time in which the event loop is busy.
	EventLoopUtilizationCritical float64 `yaml:"eventloop_utilization_critical"` // The same, when people are woken.
	EventLoopBlockedSeconds      float64 `yaml:"eventloop_blocked_seconds"`      // How long one piece of work may keep the event loop.
	GCRatio                      float64 `yaml:"gc_ratio"`                       // Share of time that may go to garbage collection.
	CPURatio                     float64 `yaml:"cpu_ratio"`                      // Share of one CPU that a process may use all the time.
	ClusterImbalance             float64 `yaml:"cluster_imbalance"`              // How many times the mean of its cluster one worker may use of the CPU.

	RouteSlowSeconds float64 `yaml:"route_slow_seconds"` // 95th percentile of a route's duration above which it is slow. (Boards turn orange at route_warn_seconds.)
	RouteWarnSeconds float64 `yaml:"route_warn_seconds"` // 95th percentile of a route's duration at which boards turn orange.
	RouteMinRequests float64 `yaml:"route_min_requests"` // Requests in ten minutes below which a route's percentile says nothing.
	RouteSlowRatio   float64 `yaml:"route_slow_ratio"`   // Share of a route's requests that may take longer than route_slow_seconds: 0.05 makes it the 95th percentile.
	SLOMinBad        float64 `yaml:"slo_min_bad"`        // Failed or slow requests below which no error budget burns, whatever the share.

	ExceptionSpike      float64 `yaml:"exception_spike"`       // Exceptions of an app in five minutes below which there is no spike.
	ExceptionSpikeTimes float64 `yaml:"exception_spike_times"` // How many times its usual number of exceptions an app has to have.
	DeployWindowSeconds float64 `yaml:"deploy_window_seconds"` // How long after a deploy what gets worse is blamed on it.
	DeployFailedRatio   float64 `yaml:"deploy_failed_ratio"`   // Share of requests answered 5xx from which a deploy may be to blame.
	DeployCrashEnds     float64 `yaml:"deploy_crash_ends"`     // Ends of an app in five minutes that nobody asked for, from which a deploy may be to blame.

	SpoolFullRatio    float64 `yaml:"spool_full_ratio"`    // Share of its room that an agent's spool may fill before somebody is told.
	ShipSilentSeconds float64 `yaml:"ship_silent_seconds"` // How long a server may acknowledge nothing.
	StorageFreeBytes  float64 `yaml:"storage_free_bytes"`  // Free space under which the disk of PM25's time series is nearly full. (At --storage.min-free it takes no more.)
}

// lookup returns a threshold by its YAML name.
func (t Thresholds) lookup(name string) (float64, bool) {
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name {
			return v.Field(i).Float(), true
		}
	}
	return 0, false
}

// override changes those of names that are in values, and reports whether there
// are any.
func (t *Thresholds) override(values map[string]float64, names []string) (found bool) {
	v := reflect.ValueOf(t).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		if value, ok := values[name]; ok && slices.Contains(names, name) {
			v.Field(i).SetFloat(value)
			found = true
		}
	}
	return found
}

func thresholdNames() (names []string) {
	for f := range reflect.TypeFor[Thresholds]().Fields() {
		names = append(names, f.Tag.Get("yaml"))
	}
	return names
}

// values are all thresholds by their YAML names.
func (t Thresholds) values() map[string]float64 {
	all := map[string]float64{}
	for _, name := range thresholdNames() {
		all[name], _ = t.lookup(name)
	}
	return all
}

// durations are the thresholds that expressions write as durations of PromQL, which
// have no fractions.
func durations() []string { return []string{"hung_seconds", "ship_silent_seconds", "stopped_seconds"} }

// checkThreshold reports a value that a threshold can not have.
func (c Config) checkThreshold(name string, value float64) error {
	const tenYears = 10 * 365 * 86400
	switch {
	case !(value > 0):
		return fmt.Errorf("it is %v: it has to be more than 0", value)
	case slices.Contains(durations(), name) && (value != math.Trunc(value) || value > tenYears):
		return fmt.Errorf("it is %v: it has to be a whole number of seconds, of ten years at most", value)
	case name == "deploy_window_seconds" && value > 3600:
		return fmt.Errorf("it is %v: it can be 3600 at most, as what was before a deploy is not known for longer than an hour", value)
	case name == "route_slow_seconds":
		return c.checkBucket(value)
	}
	return nil
}

// expand puts the settings into an expression: ${name} is a threshold, ${name:le} the
// matcher of the classic bucket of that many seconds, ${job} and ${server_job} are
// scrape jobs, ${host_labels} the labels that tell hosts and
// their daemons apart, ${$} a $. A name that there is not stays, and does not
// parse.
func (c Config) expand(expr string) string {
	return os.Expand(expr, func(name string) string {
		switch name {
		case "$":
			return "$"
		case "job":
			return c.Job
		case "server_job":
			return c.ServerJob
		case "host_labels":
			return strings.Join(append(slices.Clone(c.HostLabels), "daemon"), ", ")
		}
		key, form, _ := strings.Cut(name, ":")
		value, ok := c.Thresholds.lookup(key)
		switch {
		case ok && form == "le":
			return leMatcher(value)
		case ok:
			return strings.TrimSuffix(strconv.FormatFloat(value, 'f', -1, 64), ".0")
		}
		return "${" + name + "}"
	})
}
