package dashboards

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"
)

// The budgets hold with many hosts too. The full form, with 500 hosts of 20
// processes, is the benchmark.
func TestBudgetsWithManyHosts(t *testing.T) {
	if testing.Short() {
		t.Skip("makes 60 hosts")
	}
	w := newWorld(t, size{hosts: 6, copies: 10, processes: 20, last: 10 * time.Minute, labeled: true})
	for _, d := range read(t, english()) {
		for _, q := range queriesOf(t, d) {
			if a := w.ask(t, q, all()); a.series > budget(q.kind) {
				t.Errorf("%s: %d series, such as %s", q, a.series, a.names)
			}
		}
	}
}

// BenchmarkBoards asks all queries of each board once, as opening it does, with
// what is chosen then: BOARDS_HOSTS hosts (500) of 20 processes and an hour of samples.
// Ten hosts are simulated, and each is there many times under other names.
func BenchmarkBoards(b *testing.B) {
	hosts, err := strconv.Atoi(os.Getenv("BOARDS_HOSTS"))
	if err != nil {
		hosts = 500
	}
	begin := time.Now()
	w := newWorld(b, size{hosts: 10, copies: max(1, hosts/10), processes: 20, last: time.Hour, labeled: true})
	stats := w.db.Head().NumSeries()
	fmt.Printf("%d hosts, %d series, made in %s\n", hosts, stats, time.Since(begin).Round(time.Second))
	boards := read(b, english())
	for b.Loop() {
		for _, d := range boards {
			w.time(b, *d.Uid, queriesOf(b, d))
		}
	}
}

// time prints how long the queries of a board take, and its slowest ones.
func (w *world) time(b *testing.B, uid string, queries []query) {
	var total, worst time.Duration
	var slowest query
	series := 0
	for _, q := range queries {
		a := w.ask(b, q, of(q.board, w))
		total += a.took
		series += a.series
		if a.took > worst {
			worst, slowest = a.took, q
		}
		if a.took > 200*time.Millisecond {
			fmt.Printf("  %8s %5d series  %s\n", a.took.Round(time.Millisecond), a.series, q)
		}
		if a.series > budget(q.kind) {
			b.Errorf("%s: %d series, such as %s", q, a.series, a.names)
		}
	}
	fmt.Printf("%s: %d queries, %d series, %s together; slowest %s: %s\n", uid, len(queries), series, total.Round(time.Millisecond), worst.Round(time.Millisecond), slowest)
}
