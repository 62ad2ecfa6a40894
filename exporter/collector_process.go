package exporter

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/watch"
)

// processCollector measures each process that PM2 lists.
type processCollector struct {
	mu     sync.Mutex
	source procfs.Source
	states []string
	labels *labelCache[procLabelKey, *procLabels]
}

// procLabels are the label sets of one process.
type procLabels struct {
	base  Labels
	state []Labels
	mode  []Labels
	info  Labels // of the values below
	of    infoValues
}

// infoValues are the values of pm2_process_info, which seldom change.
type infoValues struct {
	instance, mode, interpreter, node, version, revision, memory string
}

// NewProcessCollector measures processes with source.
func NewProcessCollector(source procfs.Source) Collector {
	return &processCollector{source: source, states: catalog.States(), labels: newLabelCache(func(k procLabelKey) *procLabels {
		base := processLabels(k)
		return &procLabels{base: base, state: base.each("state", catalog.States()), mode: base.each("mode", catalog.CPUModes())}
	})}
}

func processLabels(k procLabelKey) Labels {
	return labels("daemon", k.daemon, "pm2_namespace", k.Namespace, "app", k.App, "pm_id", strconv.Itoa(k.PMID))
}

func (*processCollector) Name() string { return "process" }

func (c *processCollector) Collect(_ context.Context, in *Input, out *Sink) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var pids []int
	for i := range in.Daemons {
		d := &in.Daemons[i]
		samples := make([]procfs.Sample, len(d.Processes))
		for j := range d.Processes {
			if pid := d.Processes[j].HostPID; pid > 0 {
				pids = append(pids, pid)
				samples[j] = c.read(&d.Processes[j])
			}
		}
		d.ledger(func(l *ledger.Ledger) {
			for j := range d.Processes {
				c.process(d.Label, &d.Processes[j], samples[j], l, out)
			}
		})
	}
	c.source.Retain(pids)
	c.labels.sweep()
	return nil
}

// read samples a process; the zero Sample says that it is gone, or that its
// number belongs to another one by now.
func (c *processCollector) read(p *watch.ProcessView) procfs.Sample {
	var from, to time.Time
	if !p.StartedAt.IsZero() {
		from, to = p.StartedAt.Add(-watch.StartEarly), p.StartedAt.Add(watch.StartLate)
	}
	s, err := c.source.Read(p.HostPID, from, to)
	if err != nil {
		return procfs.Sample{}
	}
	return s
}

// process adds one process. The ledger is locked.
func (c *processCollector) process(daemon string, p *watch.ProcessView, s procfs.Sample, l *ledger.Ledger, out *Sink) {
	lab := c.labels.get(procLabelKey{daemon, p.Key})
	out.Gauge(catalog.ProcessInfo, 1, lab.infoFor(p, s))
	state := c.stateIndex(p.Status)
	for i, labels := range lab.state {
		out.Gauge(catalog.ProcessState, oneIf(i == state), labels)
	}
	pid := 0
	if p.Running() {
		pid = p.PID
		if !p.StartedAt.IsZero() {
			out.Gauge(catalog.ProcessStartTime, seconds(p.StartedAt), lab.base)
		}
	}
	out.Gauge(catalog.ProcessPID, float64(pid), lab.base)
	out.Gauge(catalog.ProcessUnstableRestarts, float64(p.UnstableRestarts), lab.base)
	if p.MemoryLimitBytes > 0 {
		out.Gauge(catalog.ProcessMemoryLimit, p.MemoryLimitBytes, lab.base)
	}
	if !p.CronDue.IsZero() {
		out.Gauge(catalog.ProcessCronNext, seconds(p.CronDue), lab.base)
	}
	c.usage(p, s, lab, out)
	c.counted(p, s, l, lab, out)
}

// usage adds what the kernel says now.
func (c *processCollector) usage(p *watch.ProcessView, s procfs.Sample, lab *procLabels, out *Sink) {
	if s.PID == 0 {
		if p.Running() && p.HostPID == 0 && p.MemoryBytes > 0 {
			out.Gauge(catalog.ProcessResidentMemory, p.MemoryBytes, lab.base)
		}
		return
	}
	out.Gauge(catalog.ProcessResidentMemory, float64(s.ResidentBytes), lab.base)
	out.Gauge(catalog.ProcessThreads, float64(s.Threads), lab.base)
	if s.OpenFDs >= 0 {
		out.Gauge(catalog.ProcessOpenFDs, float64(s.OpenFDs), lab.base)
	}
	out.Gauge(catalog.ProcessChildren, float64(s.Children), lab.base)
	out.Gauge(catalog.ProcessChildrenMemory, float64(s.ChildrenResidentBytes), lab.base)
}

// counted adds what the ledger holds.
func (c *processCollector) counted(p *watch.ProcessView, s procfs.Sample, l *ledger.Ledger, lab *procLabels, out *Sink) {
	if s.PID != 0 {
		l.Observe(p.Key, s)
	}
	acc := l.Proc(p.Key)
	if acc == nil {
		return
	}
	out.Counter(catalog.ProcessRestarts, float64(acc.Restarts), acc.Created, lab.base)
	if s.PID != 0 || acc.Life.PID != 0 {
		out.Counter(catalog.ProcessCPU, acc.User, acc.Created, lab.mode[0])
		out.Counter(catalog.ProcessCPU, acc.System, acc.Created, lab.mode[1])
		out.Counter(catalog.ProcessChildrenCPU, acc.Children, acc.Created, lab.base)
	}
	if acc.ExitCode >= 0 && (p.HasExitCode || !acc.ExitAt.IsZero()) {
		out.Gauge(catalog.ProcessLastExitCode, float64(acc.ExitCode), lab.base)
	}
	if !acc.ExitAt.IsZero() {
		out.Gauge(catalog.ProcessLastExitTime, seconds(acc.ExitAt), lab.base)
	}
}

// infoFor returns the labels of pm2_process_info, made anew when they changed.
func (lab *procLabels) infoFor(p *watch.ProcessView, s procfs.Sample) Labels {
	v := infoValues{p.InstanceID, p.ExecMode, p.Interpreter, p.NodeVersion, p.Version, p.Revision, ""}
	if v.mode != "fork" && v.mode != "cluster" {
		v.mode = ""
	}
	switch {
	case s.PID != 0:
		v.memory = "proc"
	case p.Running() && p.HostPID == 0 && p.MemoryBytes > 0:
		v.memory = "pm2"
	}
	if lab.info == nil || lab.of != v {
		lab.of = v
		lab.info = lab.base.with("instance_id", v.instance, "exec_mode", v.mode, "interpreter", v.interpreter,
			"node_version", v.node, "version", v.version, "revision", v.revision, "memory_source", v.memory)
	}
	return lab.info
}

func (c *processCollector) stateIndex(status string) int {
	name := status
	switch status {
	case pm2.StatusWaitingRestart:
		name = "waiting_restart"
	case pm2.StatusOneLaunch:
		name = "one_launch"
	}
	if i := slices.Index(c.states, name); i >= 0 {
		return i
	}
	return len(c.states) - 1 // other
}

func oneIf(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
