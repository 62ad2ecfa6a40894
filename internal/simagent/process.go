package simagent

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/exits"
	"github.com/pm25/pm25/internal/procfs"
)

const (
	mib = 1 << 20
	// loopLife is how long a process in a crash loop lives.
	loopLife = 3 * time.Second
	// crashesPerSecond is how often a healthy process crashes: every few days.
	crashesPerSecond = 1.0 / (60 * 60 * 60)
)

// Fate is what becomes of an app.
type Fate int

// The fates.
const (
	Healthy   Fate = iota
	CrashLoop      // it crashes some seconds after each start
	Errored        // PM2 has given up on it
)

// process is one simulated process. Its times advance by step only.
type process struct {
	role role
	pm2  pm2.Process
	fate Fate
	rng  *rand.Rand

	phase  float64 // of its daily and hourly waves
	user   float64 // seconds of CPU time of this life
	system float64
	lines  float64 // of its log that are not told yet
}

// happening is what a step tells the ledger.
type happening struct {
	exit  *exits.Exit
	lines int
}

// step goes on from one time to a later one.
func (p *process) step(from, to time.Time, newPID func() int, tell func(happening)) {
	for p.pm2.Running() {
		end, ends := p.nextEnd(from, to)
		if !ends {
			break
		}
		p.use(end.Sub(from))
		p.end(end, newPID, tell)
		from = end
	}
	if p.pm2.Running() {
		p.use(to.Sub(from))
	}
	if n := int(p.lines); n > 0 {
		p.lines -= float64(n)
		tell(happening{lines: n})
	}
}

// nextEnd tells when the process ends, if it does before to.
func (p *process) nextEnd(from, to time.Time) (at time.Time, ends bool) {
	switch {
	case p.fate == Errored:
		return from, true
	case p.fate == CrashLoop:
		at = p.pm2.StartedAt.Add(loopLife)
		return latest(at, from), at.Before(to)
	case p.role.limit > 0 && p.memory(to) > p.role.limit*mib:
		return to, true
	}
	return to, p.rng.Float64() < crashesPerSecond*to.Sub(from).Seconds()
}

// end ends the process, and PM2 starts it again or gives it up.
func (p *process) end(at time.Time, newPID func() int, tell func(happening)) {
	exit := exits.Exit{Name: p.pm2.Name, PMID: p.pm2.PMID, Reason: exits.Crash, Code: 1, At: at}
	switch {
	case p.fate == Errored:
		exit.Reason = exits.Errored
	case p.fate == Healthy && p.role.limit > 0 && p.memory(at) > p.role.limit*mib:
		exit.Reason, exit.Code = exits.MemoryLimit, 0
	}
	p.pm2.ExitCode, p.pm2.HasExitCode = exit.Code, true
	tell(happening{exit: &exit})
	if p.fate == Errored {
		p.pm2.Status, p.pm2.PID = "errored", 0
		return
	}
	p.pm2.Restarts++
	p.start(at, newPID())
}

func (p *process) start(at time.Time, pid int) {
	p.pm2.Status, p.pm2.StartedAt, p.pm2.PID = "online", at, pid
	p.user, p.system = 0, 0
}

// use spends CPU time and writes to the log.
func (p *process) use(d time.Duration) {
	busy := p.role.cpu * d.Seconds() * math.Max(0, 1+0.5*p.wave(p.pm2.StartedAt.Add(d), 10*time.Minute)+0.2*p.rng.NormFloat64())
	p.user += busy * 0.8
	p.system += busy * 0.2
	p.lines += p.role.logs * d.Seconds()
}

// memory is the resident memory of a life that has lasted until then.
func (p *process) memory(at time.Time) float64 {
	age := at.Sub(p.pm2.StartedAt)
	warm := 1 - 0.3*math.Exp(-age.Minutes()/5)
	m := p.role.memory * warm * (1 + 0.08*p.wave(at, 7*time.Minute))
	if p.role.limit > 0 {
		m += 40 * age.Hours()
	}
	return m * mib
}

// wave goes from -1 to 1 and back in a period.
func (p *process) wave(at time.Time, period time.Duration) float64 {
	turns := float64(at.UnixMilli()) / float64(period.Milliseconds())
	return math.Sin(2 * math.Pi * (turns - math.Floor(turns) + p.phase))
}

func (p *process) sample(now time.Time) procfs.Sample {
	return procfs.Sample{
		PID: p.pm2.PID, StartTicks: uint64(p.pm2.StartedAt.UnixMilli() / 10), StartTime: p.pm2.StartedAt,
		UserSeconds: hundredths(p.user), SystemSeconds: hundredths(p.system),
		ResidentBytes: uint64(p.memory(now)), Threads: 11, OpenFDs: 24 + int(6*(1+p.wave(now, 3*time.Minute))),
	}
}

// view is the process as PM2 lists it; the caller may keep it.
func (p *process) view(now time.Time) *pm2.Process {
	v := p.pm2
	if p.role.published != "" && v.Running() {
		v.Metrics = []pm2.CustomMetric{{Name: p.role.published, Unit: "n", Value: math.Round(20 * (1 + p.wave(now, 4*time.Minute)))}}
	}
	return &v
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// hundredths rounds as the kernel counts CPU time.
func hundredths(seconds float64) float64 { return math.Floor(seconds*100) / 100 }

// newProcesses are the first n processes of the cast, as they are after a day.
func newProcesses(n int, now time.Time, rng *rand.Rand, newPID func() int) []*process {
	var out []*process
	for round := 0; ; round++ {
		for _, r := range cast {
			if round > 0 {
				r.name = fmt.Sprintf("%s-%d", r.name, round+1)
			}
			for worker := range max(1, r.workers) {
				if len(out) == n {
					return out
				}
				out = append(out, newProcess(r, len(out), worker, now, rng, newPID))
			}
		}
	}
}

// cronDue is the next time that cron starts the process.
func (p *process) cronDue(now time.Time) time.Time {
	if p.pm2.CronRestart == "" {
		return time.Time{}
	}
	year, month, day := now.UTC().Date()
	return time.Date(year, month, day+1, 3, 0, 0, 0, time.UTC)
}

func newProcess(r role, id, worker int, now time.Time, rng *rand.Rand, newPID func() int) *process {
	p := &process{role: r, phase: rng.Float64(), rng: rand.New(rand.NewPCG(rng.Uint64(), uint64(id)))}
	p.pm2 = pm2.Process{
		Name: r.name, Namespace: "default", PMID: id, UniqueID: fmt.Sprint("sim-", id), ExecMode: "fork", Interpreter: "node",
		NodeVersion: "22.21.1", Version: oldVersion, Revision: "3f9c2a1", InstanceID: fmt.Sprint(worker), MemoryLimitBytes: r.limit * mib,
	}
	if r.workers > 0 {
		p.pm2.ExecMode = "cluster"
	}
	if r.sleeps {
		p.pm2.Status, p.pm2.CronRestart, p.pm2.HasExitCode = "stopped", "0 3 * * *", true
		return p
	}
	p.start(now.Add(-time.Duration(rng.Float64()*float64(age/4))), newPID())
	return p
}
