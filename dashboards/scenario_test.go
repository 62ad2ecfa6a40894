package dashboards

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"
)

// find returns the query of a panel.
func find(t *testing.T, board, panel, ref string) query {
	t.Helper()
	for _, d := range read(t, english()) {
		for _, q := range queriesOf(t, d) {
			if q.board == board && q.panel == panel && q.ref == ref {
				return q
			}
		}
	}
	t.Fatalf("no query %s / %s / %s", board, panel, ref)
	return query{}
}

// TestScenario: one host is down, one app is in a crash loop and one errored.
func TestScenario(t *testing.T) {
	w := newWorld(t, size{hosts: 3, processes: 20, last: 40 * time.Minute, labeled: true})
	t.Run("the fleet says what is wrong", w.saysWhatIsWrong)
	t.Run("every process has a row", w.hasRows)
	t.Run("variables choose", w.chooses)
	t.Run("what went wrong in PM25 is named", func(t *testing.T) {
		rows := w.rows(t, selfUID, wentWrong, "A")
		if got := rows[`{detail="token", instance="pm25:9725", problem="push not taken", reason="token"}`]; len(rows) != 1 || got < once || got > 2 {
			t.Errorf("%v", rows)
		}
	})
}

func (w *world) saysWhatIsWrong(t *testing.T) {
	for panel, want := range map[string]float64{"Hosts down": 1, "PM2 down": 0, "Firing alerts": 2} {
		if got := w.one(t, fleetUID, panel, "A"); got != want {
			t.Errorf("%s: %v, want %v", panel, got, want)
		}
	}
	if got := w.one(t, fleetUID, "Processes errored", "A"); got < 1 {
		t.Errorf("%v processes errored", got)
	}
	if got := w.one(t, fleetUID, "Crashes", "A"); got < 20 {
		t.Errorf("%v crashes in a loop of five minutes", got)
	}
	apps := w.rows(t, fleetUID, "Apps in trouble", "A")
	for app, want := range map[string]float64{"payments": 1, "mailer": 2} {
		if got := apps[`{app="`+app+`", pm2_namespace="default"}`]; got < want {
			t.Errorf("Apps in trouble: %s is %v, want %v: %v", app, got, want, apps)
		}
	}
	down, up := `{bucket="bucket-0", host="web-03", instance="10.0.0.3:9209"}`, `{bucket="bucket-0", host="web-01", instance="10.0.0.1:9209"}`
	if hosts := w.rows(t, fleetUID, "Hosts", "A"); hosts[down] != 0 || hosts[up] != 1 || len(hosts) != 3 {
		t.Errorf("hosts %v", hosts)
	}
	// The host that is down keeps its row, with what it said last.
	for _, ref := range []string{"B", "D", "F", "J"} {
		if got := w.rows(t, fleetUID, "Hosts", ref); got[down] <= 0 || got[up] <= 0 {
			t.Errorf("query %s of hosts: %v", ref, got)
		}
	}
}

// hasRows: whatever its state a process has a row, and what does not run has neither
// a start nor memory. The processes of the host that is down are not known.
func (w *world) hasRows(t *testing.T) {
	states := map[string]int{}
	rows := w.rowsFor(t, all(), hostUID, "Processes", "A")
	for row := range rows {
		_, state, _ := strings.Cut(row, `state="`)
		states[strings.TrimSuffix(state, `"}`)]++
	}
	if len(rows) != 40 || states["errored"] == 0 || states["stopped"] == 0 || states["online"] == 0 {
		t.Errorf("%d rows, states %v", len(rows), states)
	}
	running := states["online"]
	for ref, want := range map[string]int{"B": 40, "C": 40, "G": 40, "D": running, "F": running} {
		if got := len(w.rowsFor(t, all(), hostUID, "Processes", ref)); got != want {
			t.Errorf("query %s has %d rows, want %d", ref, got, want)
		}
	}
}

func (w *world) chooses(t *testing.T) {
	c := all()
	c["app"], c["host"], c["bucket"] = "(shop-api|payments)", "web-01", "bucket-0"
	rows := w.rowsFor(t, c, appUID, "Which instances run", "A")
	names := slices.Collect(maps.Keys(rows))
	if len(rows) != 6 || slices.ContainsFunc(names, func(n string) bool {
		return !strings.Contains(n, `host="web-01"`) || !strings.Contains(n, `app="shop-api"`) && !strings.Contains(n, `app="payments"`)
	}) {
		t.Errorf("%q", names)
	}
}

func (w *world) rows(t *testing.T, board, panel, ref string) map[string]float64 {
	t.Helper()
	return w.rowsFor(t, of(board, w), board, panel, ref)
}

func (w *world) rowsFor(t *testing.T, c chosen, board, panel, ref string) map[string]float64 {
	t.Helper()
	return w.ask(t, find(t, board, panel, ref), c).last
}

func (w *world) one(t *testing.T, board, panel, ref string) float64 {
	t.Helper()
	rows := w.rows(t, board, panel, ref)
	if len(rows) != 1 {
		t.Fatalf("%s / %s: %v", board, panel, rows)
	}
	for _, v := range rows {
		return v
	}
	return 0
}

const wentWrong = "What PM25 lost, refused or failed to do"

// TestWell: where nothing of PM25 went wrong, nothing is said.
func TestWell(t *testing.T) {
	w := newWorld(t, size{hosts: 2, processes: 10, last: 30 * time.Minute, labeled: true, well: true})
	for _, panel := range []string{wentWrong, "When it went wrong"} {
		if got := w.rows(t, selfUID, panel, "A"); len(got) > 0 {
			t.Errorf("%s: %v", panel, got)
		}
	}
}
