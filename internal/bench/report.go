//go:build linux

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/pm2test"
)

// report writes down what was found.
type report struct {
	opts    options
	machine string
	results []*result
	text    strings.Builder
}

func newReport(o options, d *pm2test.Daemon) *report {
	return &report{opts: o, machine: machine(d)}
}

func (r *report) markdown() string {
	r.text.Reset()
	r.line("# Benchmarks\n")
	r.line("<!-- Written by `make bench`; do not edit. -->\n")
	r.line("What the agent costs, beside [pm2-metrics](https://www.npmjs.com/package/pm2-metrics), another exporter for PM2, and beside the least that any exporter has to do. `make bench` measures all of it anew.\n")
	r.line("%s\n", r.machine)
	r.section("Held against", r.targets)
	r.section("CPU of one scrape", r.scrapes)
	r.section("CPU of an interval of 15 s, everything included", r.intervals)
	r.section("The floor", r.floors)
	r.section("Memory", r.memories)
	r.section("Answers", r.answers)
	r.section("PM2 while nobody scrapes", r.idles)
	r.line(method, r.pace())
	return r.text.String()
}

// summary is what the terminal shows of it.
func (r *report) summary() string {
	r.text.Reset()
	r.targets()
	r.scrapes()
	return r.text.String()
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

func (r *report) section(title string, body func()) {
	r.line("## %s\n", title)
	body()
}

// table adds a table with a row for each size.
func (r *report) table(heads []string, row func(*result) []string) {
	r.line("| processes | %s |", strings.Join(heads, " | "))
	r.line("|%s", strings.Repeat("---:|", len(heads)+1))
	for _, x := range r.results {
		r.line("| %d | %s |", x.n, strings.Join(row(x), " | "))
	}
	r.line("")
}

func (r *report) targets() {
	r.line("| target | found | held |")
	r.line("|---|---:|---|")
	row := func(what, found string, held bool) { r.line("| %s | %s | %s |", what, found, yesNo(held)) }
	for _, x := range r.results {
		switch x.n {
		case 50:
			q := ratio(x.agent.total(), x.pm2metrics.total())
			row("50 processes: a tenth of pm2-metrics' CPU for a scrape, daemon included", fmt.Sprintf("%.2f", q), q <= 0.1)
			q = ratio(x.everything(ours), x.everything(peer))
			row("50 processes: the same for everything in an interval", fmt.Sprintf("%.2f", q), q <= 0.1)
			row("50 processes: under 20 MiB resident", mib(x.memory[ours].rss), x.memory[ours].rss < 20<<20)
			q = ratio(x.agent.total(), x.bare.total())
			row("50 processes: three times the floor", fmt.Sprintf("%.2f", q), q <= 3)
			q = ratio(x.changed.total(), x.bare.total())
			row("50 processes: the same with a fresh list of PM2's", fmt.Sprintf("%.2f", q), q <= 3)
		case 500:
			row("500 processes: under 40 MiB resident", mib(x.memory[ours].rss), x.memory[ours].rss < 40<<20)
		}
	}
	r.line("")
}

func (r *report) scrapes() {
	r.line("Milliseconds of CPU time, exporter + PM2's daemon. The agent asks PM2 for its list only after something changed (and every two minutes, or with every scrape where apps publish values through @pm2/io); pm2-metrics asks each time.\n")
	r.table([]string{"agent", "agent, with a fresh list", "pm2-metrics", "agent ÷ pm2-metrics", "with a fresh list ÷ pm2-metrics"}, func(x *result) []string {
		return []string{
			both(x.agent), both(x.changed), both(x.pm2metrics),
			quotient(x.agent.total(), x.pm2metrics.total()), quotient(x.changed.total(), x.pm2metrics.total()),
		}
	})
}

func (r *report) intervals() {
	r.line("Milliseconds of CPU time: the scrape, its share of lists asked for every two minutes, and what the exporter does in between.\n")
	r.table([]string{"agent", "pm2-metrics", "agent ÷ pm2-metrics"}, func(x *result) []string {
		return []string{ms(x.everything(ours)), ms(x.everything(peer)), quotient(x.everything(ours), x.everything(peer))}
	})
}

func (r *report) floors() {
	r.line("One answer of PM2 (`getMonitorData`) over an open socket, read and thrown away, and one read of `/proc/<pid>/stat` for each process. Milliseconds of CPU time.\n")
	r.table([]string{"answer", "bytes", "stat", "daemon", "sum", "agent ÷ floor", "agent with a fresh list ÷ floor", "pm2-metrics ÷ floor"}, func(x *result) []string {
		_, daemon := x.bare.perScrape()
		return []string{
			ms(median(x.floorRPC)), thousands(x.replyBytes), ms(median(x.floorProc)), ms(daemon), ms(x.bare.total()),
			quotient(x.agent.total(), x.bare.total()), quotient(x.changed.total(), x.bare.total()), quotient(x.pm2metrics.total(), x.bare.total()),
		}
	})
}

func (r *report) memories() {
	r.line("MiB resident after the run (in brackets the most there ever was), and of the agent's how much is not from its own file.\n")
	r.table([]string{"agent", "of it anonymous", "pm2-metrics", "agent ÷ pm2-metrics"}, func(x *result) []string {
		a, p := x.memory[ours], x.memory[peer]
		return []string{
			fmt.Sprintf("%s (%s)", mib(a.rss), mib(a.hwm)), mib(a.anon), fmt.Sprintf("%s (%s)", mib(p.rss), mib(p.hwm)),
			fmt.Sprintf("%.2f", float64(a.rss)/float64(p.rss)),
		}
	})
}

func (r *report) answers() {
	r.line("What a scrape gives, asked as Prometheus 3 asks; in brackets those of the series that are times of creation (`_created`). Latencies are of scrapes in quick succession on a busy machine, p50 / p99 in milliseconds.\n")
	r.table([]string{"agent: series", "bytes", "latency", "pm2-metrics: series", "bytes", "latency"}, func(x *result) []string {
		var out []string
		for _, who := range []int{ours, peer} {
			a := x.answers[who]
			series := thousands(a.series)
			if a.created > 0 {
				series += " (" + thousands(a.created) + ")"
			}
			out = append(out, series, thousands(a.bytes), ms(median(x.latency[who]))+" / "+ms(quantile(x.latency[who], 0.99)))
		}
		return out
	})
}

func (r *report) idles() {
	r.line("Milliseconds of CPU time in a minute. PM2's own, for the reports of its probes, varies by some percent: see that nobody who is merely attached adds to it.\n")
	minute := func(s span, who int) string {
		return fmt.Sprintf("%.0f", s.rate(who)*float64(time.Minute/time.Millisecond))
	}
	r.table([]string{"PM2 alone", "with the agent", "with pm2-metrics", "with both", "the agent itself", "pm2-metrics itself"}, func(x *result) []string {
		return []string{
			minute(x.idleNone, theDaemon), minute(x.idleOurs, theDaemon), minute(x.idlePeer, theDaemon), minute(x.idleBoth, theDaemon),
			minute(x.idleBoth, ours), minute(x.idleBoth, peer),
		}
	})
}

func both(c cost) string {
	own, daemon := c.perScrape()
	return fmt.Sprintf("%s + %s", ms(own), ms(daemon))
}

func ratio(a, b time.Duration) float64 {
	if b <= 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func quotient(a, b time.Duration) string {
	if b <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", ratio(a, b))
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f", float64(d)/float64(time.Millisecond)) }
func mib(bytes uint64) string   { return fmt.Sprintf("%.1f", float64(bytes)/(1<<20)) }
func yesNo(held bool) string    { return map[bool]string{true: "yes", false: "**no**"}[held] }
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// machine describes what this ran on, without naming it.
func machine(d *pm2test.Daemon) string {
	var uts unix.Utsname
	kernel := "unknown"
	if unix.Uname(&uts) == nil {
		kernel, _, _ = strings.Cut(unix.ByteSliceToString(uts.Release[:]), "-")
	}
	node := "unknown"
	if out, err := exec.Command("node", "--version").Output(); err == nil {
		node = strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
	}
	return fmt.Sprintf("Measured on %s: %d cores (%s), Linux %s, Node.js %s, PM2 %s, pm2-metrics %s, the agent built with %s.",
		time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), cpuModel(), kernel, node,
		packageVersion("pm2", d.Version(), "node_modules", "pm2"), packageVersion("peer", "node_modules", "pm2-metrics"),
		strings.Replace(runtime.Version(), "go", "Go ", 1))
}

func cpuModel() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for s := bufio.NewScanner(bytes.NewReader(b)); s.Scan(); {
		if name, value, ok := strings.Cut(s.Text(), ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}

func packageVersion(path ...string) string {
	parts := append([]string{pm2test.Root(), "tools"}, path...)
	b, _ := os.ReadFile(filepath.Join(append(parts, "package.json")...))
	var p struct{ Version string }
	if json.Unmarshal(b, &p) != nil || p.Version == "" {
		return "unknown"
	}
	return p.Version
}
