package simagent

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/pm25/pm25/exporter"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/procfs"
	"github.com/pm25/pm25/internal/watch"
)

const (
	// age is how long a host's agent has run at first.
	age        = 24 * time.Hour
	oldVersion = "1.4.0"
	newVersion = "1.4.1" // since half its life
	daemonPID  = 900
	cores      = 4
	hostMemory = 16 << 30
)

// Host is one simulated host: the handler of its agent. The methods are safe
// for concurrent use.
type Host struct {
	name    string
	now     func() time.Time
	metrics http.Handler

	mu        sync.Mutex
	off       bool
	at        time.Time // up to which time everything has happened
	booted    time.Time
	pids      int
	processes []*process
	ledger    *ledger.Ledger
}

func newHost(name string, o Options, rng *rand.Rand) (*Host, error) {
	now := o.Now()
	h := &Host{name: name, now: o.Now, at: now, booted: now.Add(-age - time.Duration(rng.IntN(int(24*age)))), pids: 1000}
	h.processes = newProcesses(o.ProcessesPerHost, now, rng, h.newPID)
	h.begin(now)
	host, err := exporter.NewHostCollector(func(func() []string) (procfs.Host, error) { return machine{h}, nil })
	if err != nil {
		return nil, fmt.Errorf("simagent: %w", err)
	}
	e, err := exporter.New(exporter.Options{
		Collectors: []exporter.Collector{
			exporter.NewDaemonCollector(machine{h}), exporter.NewProcessCollector(machine{h}), exporter.NewAppCollector(),
			exporter.NewHTTPCollector(h.clock), exporter.NewNodejsCollector(h.clock), exporter.NewCustomCollector(10), host,
		},
		Daemons: func() []exporter.Daemon { return []exporter.Daemon{daemon{h}} },
		Agent:   machine{h}, Shipping: h.shipping, Logger: o.Logger, Now: o.Now,
	})
	if err != nil {
		return nil, fmt.Errorf("simagent: %w", err)
	}
	h.metrics = e.Handler(exporter.HandlerOptions{})
	return h, nil
}

// clock is the time that the host has come to.
func (h *Host) clock() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.at
}

// begin gives the ledger a past: a deploy of all apps.
func (h *Host) begin(now time.Time) {
	h.ledger = ledger.New(now.Add(-age))
	h.ledger.Apply(h.list(), now.Add(-age))
	for _, p := range h.processes {
		p.pm2.Version = newVersion
	}
	h.ledger.Apply(h.list(), now.Add(-age/2))
}

func (h *Host) newPID() int {
	h.pids++
	return h.pids
}

// Name is the host's name.
func (h *Host) Name() string { return h.name }

// ServeHTTP answers a scrape; a host that is off breaks the connection.
func (h *Host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	off := h.off
	h.mu.Unlock()
	if off {
		panic(http.ErrAbortHandler)
	}
	h.metrics.ServeHTTP(w, r)
}

// Switch switches the host off or on.
func (h *Host) Switch(on bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.off = !on
}

// Apps lists the names of the host's apps.
func (h *Host) Apps() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var names []string
	for _, p := range h.processes {
		if len(names) == 0 || names[len(names)-1] != p.pm2.Name {
			names = append(names, p.pm2.Name)
		}
	}
	return names
}

// Set sets the fate of an app from now on; an errored one that gets a better
// fate is started again. It returns false where there is no such app.
func (h *Host) Set(app string, f Fate) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	found := false
	for _, p := range h.processes {
		if p.pm2.Name != app {
			continue
		}
		found = true
		if p.fate = f; f != Errored && !p.pm2.Running() {
			p.pm2.Restarts++
			p.start(h.at, h.newPID())
		}
	}
	return found
}

// advance lets happen what did since it was called last. The caller has the
// lock.
func (h *Host) advance() {
	now := h.now()
	if !now.After(h.at) {
		return
	}
	for _, p := range h.processes {
		p.step(h.at, now, h.newPID, func(what happening) { h.tell(p, what, now) })
	}
	h.at = now
	h.ledger.Apply(h.list(), now)
	h.hear(now)
}

// tell notes what a process did. The caller has the lock.
func (h *Host) tell(p *process, what happening, now time.Time) {
	event := pm2.Event{Kind: pm2.EventOut, Name: p.pm2.Name, Namespace: p.pm2.Namespace, PMID: p.pm2.PMID, Lines: what.lines}
	if what.exit != nil {
		h.ledger.Exit(*what.exit, now)
		if what.exit.Code == 0 {
			return
		}
		event.Kind = pm2.EventException
	}
	h.ledger.Event(&event, now)
}

func (h *Host) list() []pm2.Process {
	list := make([]pm2.Process, len(h.processes))
	for i, p := range h.processes {
		list[i] = p.pm2
	}
	return list
}

// daemon is a Host as the exporter sees its PM2.
type daemon struct{ h *Host }

func (daemon) Label() string { return "deploy" }

func (d daemon) Ledger(f func(*ledger.Ledger)) {
	d.h.mu.Lock()
	defer d.h.mu.Unlock()
	f(d.h.ledger)
}

func (d daemon) View(context.Context, watch.Want) watch.View {
	h := d.h
	h.mu.Lock()
	defer h.mu.Unlock()
	h.advance()
	v := watch.View{
		Label: "deploy", Home: "/home/deploy/.pm2", Owner: "deploy", Up: true, Version: "7.0.4",
		Peer: discovery.Peer{PID: daemonPID, StartTicks: 1},
	}
	expected := map[ledger.AppKey]int{}
	for _, p := range h.processes {
		key := h.ledger.Key(&p.pm2)
		expected[key.AppKey]++
		v.Processes = append(v.Processes, watch.ProcessView{Process: p.view(h.at), Key: key, HostPID: p.pm2.PID, CronDue: p.cronDue(h.at)})
	}
	for _, key := range h.ledger.Listed() {
		app := h.ledger.App(key)
		v.Files = append(v.Files, watch.AppFiles{
			Key: key, Expected: expected[key], LogBytes: [2]int64{int64(app.LogLines[0]) * 90, int64(app.LogLines[1]) * 200},
		})
	}
	v.Stats.Messages[pm2.EventOut] = uint64(h.at.Sub(h.booted).Seconds())
	v.Stats.Requests = uint64(h.at.Sub(h.booted).Seconds() / 5)
	v.Stats.Connects = 1
	return v
}

// machine is a Host as the exporter sees its kernel, and its agent.
type machine struct{ h *Host }

func (m machine) Read(pid int, _, _ time.Time) (procfs.Sample, error) {
	h := m.h
	h.mu.Lock()
	defer h.mu.Unlock()
	if pid == daemonPID {
		up := h.at.Sub(h.booted).Seconds()
		return procfs.Sample{
			PID: pid, StartTicks: 1, StartTime: h.booted, UserSeconds: hundredths(up * 0.004), SystemSeconds: hundredths(up * 0.001),
			ResidentBytes: 70 * mib, Threads: 11, OpenFDs: 40,
		}, nil
	}
	for _, p := range h.processes {
		if p.pm2.PID == pid {
			return p.sample(h.at), nil
		}
	}
	return procfs.Sample{}, procfs.ErrGone
}

func (machine) Retain([]int) {}
func (machine) Close()       {}

func (m machine) Facts(context.Context) (procfs.HostFacts, error) {
	h := m.h
	h.mu.Lock()
	defer h.mu.Unlock()
	var load, memory float64
	for _, p := range h.processes {
		if p.pm2.Running() {
			load += p.role.cpu * (1 + 0.5*p.wave(h.at, 10*time.Minute))
			memory += p.memory(h.at)
		}
	}
	disk := uint64(80 << 30)
	return procfs.HostFacts{
		CPUs: cores, Load1: load, Load5: load * 0.95, Load15: load * 0.9, MemoryTotalBytes: hostMemory,
		MemoryAvailableBytes: math.Max(hostMemory/50, hostMemory*0.9-memory), BootTimeSeconds: float64(h.booted.Unix()),
		Filesystems: []procfs.Filesystem{{Mountpoint: "/", SizeBytes: disk, AvailBytes: disk - disk/100*uint64(30+h.booted.Unix()%50)}},
	}, nil
}

func (machine) RejectedSockets() map[string]uint64 { return nil }
func (machine) StateErrors() uint64                { return 0 }
func (machine) StateRestored() bool                { return true }

// shipping is that of a host whose records arrive.
func (h *Host) shipping() exporter.Shipping {
	at := h.clock()
	since := uint64(at.Sub(h.booted) / time.Minute)
	return exporter.Shipping{
		SpoolBytes: 2 << 20, SpoolMaxBytes: 256 << 20, SpoolRecords: 1, SpoolOldest: at, Receipts: since, LastReceipt: at,
		Records: map[string]uint64{"exit": since / 10}, Acknowledged: map[string]uint64{"stored": since / 10},
	}
}
