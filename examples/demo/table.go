package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/pm2test"
)

// expectation is what an example app should look like.
type expectation struct {
	app       string
	processes int
	states    []string // any of these
	restarts  int      // at least
	namespace string
}

var expected = []expectation{
	{app: "shop-web", processes: 1, states: []string{"online"}},
	{app: "shop-api", processes: 2, states: []string{"online"}},
	{app: "mailer", processes: 1, states: []string{"online"}},
	// Crashes every few seconds and is back at once.
	{app: "payments", processes: 1, states: []string{"online", "launching", "waiting_restart"}, restarts: 1},
	{app: "reports", processes: 1, states: []string{"online"}},
	{app: "legacy", processes: 1, states: []string{"stopped"}},
	// Runs for two seconds of each minute.
	{app: "nightly-backup", processes: 1, states: []string{"online", "stopped", "launching", "stopping"}},
	{app: "订单服务", processes: 1, states: []string{"online"}, namespace: "华东"},
}

// row is one process, as PM2 and as the metrics tell it.
type row struct {
	app, namespace  string
	pmID            int
	pm2, metrics    string // states, in the words of the metrics
	pm2Restarts     int
	metricsRestarts float64
	memory          float64
	sameNames       bool // app and namespace are those of PM2
}

// compare puts both sides beside each other. A process that only one side knows
// is a row too.
func compare(procs []pm2test.Proc, s samples) []row {
	var rows []row
	known := map[int]bool{}
	for _, p := range procs {
		known[p.PMID] = true
		r := row{app: p.Name, namespace: p.Namespace, pmID: p.PMID, pm2: stateLabel(p.Status), pm2Restarts: p.Restarts, memory: -1}
		m := s.procs[p.PMID]
		r.metrics = m.state()
		if m != nil {
			r.metricsRestarts, r.memory = m.restarts, m.memory
			r.sameNames = m.app == p.Name && m.namespace == p.Namespace
		}
		rows = append(rows, r)
	}
	for id, m := range s.procs {
		if !known[id] {
			rows = append(rows, row{app: m.app, namespace: m.namespace, pmID: id, pm2: "absent", metrics: m.state(), memory: m.memory})
		}
	}
	rank := func(app string) int {
		return slices.IndexFunc(expected, func(e expectation) bool { return e.app == app })
	}
	slices.SortFunc(rows, func(a, b row) int {
		if d := rank(a.app) - rank(b.app); d != 0 {
			return d
		}
		return a.pmID - b.pmID
	})
	return rows
}

// check says what is not as it should be.
func check(rows []row) error {
	var problems []error
	wrong := func(r row, format string, args ...any) {
		problems = append(problems, fmt.Errorf("%s (%d): %s", r.app, r.pmID, fmt.Sprintf(format, args...)))
	}
	count := map[string]int{}
	for _, r := range rows {
		count[r.app]++
		i := slices.IndexFunc(expected, func(e expectation) bool { return e.app == r.app })
		if i < 0 {
			wrong(r, "nobody started this app")
			continue
		}
		e := expected[i]
		if e.namespace == "" {
			e.namespace = "default"
		}
		switch {
		case !slices.Contains(e.states, r.pm2):
			wrong(r, "PM2 says %s, expected %s", r.pm2, strings.Join(e.states, " or "))
		case r.metrics != r.pm2:
			wrong(r, "PM2 says %s, the metrics say %s", r.pm2, r.metrics)
		case !r.sameNames || r.namespace != e.namespace:
			wrong(r, "the metrics have another name or namespace")
		case r.pm2Restarts < e.restarts:
			wrong(r, "restarted %d times, expected %d at least", r.pm2Restarts, e.restarts)
		case r.metricsRestarts < float64(e.restarts) || r.metricsRestarts > float64(r.pm2Restarts+1):
			// The agent counts what it saw; the app may also have crashed
			// before it came, or between the two looks.
			wrong(r, "PM2 counts %d restarts, the metrics %v", r.pm2Restarts, r.metricsRestarts)
		case r.pm2 == "online" && r.memory <= 0:
			wrong(r, "no memory in the metrics")
		}
	}
	for _, e := range expected {
		if count[e.app] != e.processes {
			problems = append(problems, fmt.Errorf("%s has %d processes, expected %d", e.app, count[e.app], e.processes))
		}
	}
	return errors.Join(problems...)
}

// table draws the rows.
func table(rows []row) string {
	cells := [][]string{{"app", "id", "PM2 says", "Prometheus says", "restarts", "memory"}}
	for _, r := range rows {
		memory := "-"
		if r.memory > 0 {
			memory = fmt.Sprintf("%.1f MiB", r.memory/(1<<20))
		}
		name := r.app
		if r.namespace != "" && r.namespace != "default" {
			name += " (" + r.namespace + ")"
		}
		cells = append(cells, []string{name, strconv.Itoa(r.pmID), r.pm2, r.metrics, fmt.Sprintf("%.0f", r.metricsRestarts), memory})
	}
	return grid(cells, []bool{false, true, false, false, true, true})
}

// grid lays cells out in columns; right says which of them are aligned right.
func grid(cells [][]string, right []bool) string {
	width := make([]int, len(right))
	for _, line := range cells {
		for i, c := range line {
			width[i] = max(width[i], columns(c))
		}
	}
	var b strings.Builder
	for n, line := range cells {
		var l strings.Builder
		for i, c := range line {
			pad := strings.Repeat(" ", width[i]-columns(c))
			if right[i] {
				c = pad + c
			} else {
				c += pad
			}
			l.WriteString("  " + c)
		}
		b.WriteString(strings.TrimRight(l.String(), " ") + "\n")
		if n == 0 {
			for _, w := range width {
				b.WriteString("  " + strings.Repeat("─", w))
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

// columns is how many columns of a terminal a text takes: Chinese, Japanese and
// Korean characters take two.
func columns(s string) (n int) {
	for _, r := range s {
		n++
		switch {
		case r >= 0x1100 && r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3,
			r >= 0xf900 && r <= 0xfaff, r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60,
			r >= 0xffe0 && r <= 0xffe6, r >= 0x1f300 && r <= 0x1f64f, r >= 0x20000 && r <= 0x3fffd:
			n++
		}
	}
	return n
}

// hints says where to look now: on pages, and by the program and data folder of
// the demo.
func hints(url string, base int, program, data string) string {
	other := ""
	if url != "http://127.0.0.1:9725" {
		other = " --server.url=" + url
	}
	return fmt.Sprintf(`Open
  %[1]s/               the live page: all processes, worst first, and the alerts
  %[1]s/exceptions     what payments throws: stack, source, log, versions
  %[1]s/graph          ask Prometheus, for example
                                       topk(3, sum by (app) (pm2_process_resident_memory_bytes))
  %[1]s/alertmanager/  who was told of what, and silences
  http://127.0.0.1:%[2]d/               the shop itself

Or, in another terminal
  %[3]s exceptions list%[4]s
  %[3]s events tail%[4]s
  %[3]s exceptions resolve%[4]s --data.dir=%[5]s ID

A browser that changes a group asks for a password: the token in %[5]s/operator.token
`, url, base, program, other, data)
}

// fromHere is a path as it is typed in this folder.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && len(short) < len(path) {
		return short
	}
	return path
}
