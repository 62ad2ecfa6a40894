//go:build boards

package dashboards

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
)

// TestTimes opens each board as a person does, with BOARDS_HOSTS hosts (500) of 20
// processes and an hour of samples, and writes how long its queries take. Ten hosts
// are simulated, and each is there many times under other names. Scrapes are a
// minute apart, and rules are evaluated every four, so that it takes minutes.
func TestTimes(t *testing.T) {
	hosts, err := strconv.Atoi(os.Getenv("BOARDS_HOSTS"))
	if err != nil {
		hosts = 500
	}
	begin := time.Now()
	w := newWorld(t, size{
		hosts: 10, copies: max(1, hosts/10), processes: 20, last: time.Hour, labeled: true, pace: time.Minute, recorded: 4 * time.Minute,
	})
	t.Logf("%d hosts, %d series, made in %s", hosts, w.db.Head().NumSeries(), time.Since(begin).Round(time.Second))
	doc := doctable.Doc{Path: "../docs/dashboards.md", Env: "BOARDS_WRITE"}
	table := doctable.New("board", "panels", "queries", "series", "all queries", "slowest query", "of")
	for _, d := range read(t, english()) {
		var total, worst time.Duration
		var slowest query
		series := 0
		queries := queriesOf(t, d)
		for _, q := range queries {
			a := w.ask(t, q, of(q.board, w))
			total, series = total+a.took, series+a.series
			if a.took > worst {
				worst, slowest = a.took, q
			}
			if a.took > 300*time.Millisecond {
				t.Log(a.took.Round(time.Millisecond), a.series, q)
			}
			if a.series > budget(q.kind) {
				t.Errorf("%s: %d series, such as %s", q, a.series, a.names)
			}
		}
		table.Add(titleOf(*d.Uid).en, len(panelsOf(d)), len(queries), series, total.Round(time.Millisecond), worst.Round(time.Millisecond), slowest.panel)
		t.Log(*d.Uid, len(queries), series, total, worst, slowest)
	}
	doc.Write(t, "times", table)
}
