//go:build routes

package routes

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

const (
	processes = 100
	measured  = 60 * time.Second
)

// TestDaemonCost: what 100 processes that report cost PM2's daemon and the
// agent, beside the same processes without pm25-ext.
func TestDaemonCost(t *testing.T) {
	table := doctable.New("100 processes, one request a second each", "reports heard", "PM2’s daemon, % of a core", "agent, % of a core")
	var shares [2][2]float64
	for i, with := range []bool{false, true} {
		name := "without pm25-ext"
		if with {
			name = "with pm25-ext, a report every 5 s"
		}
		t.Run(name, func(t *testing.T) {
			d := pm2test.New(t, pm2test.Options{})
			a := newAgent(t, d)
			ports := hundred(t, d, with)
			time.Sleep(10 * time.Second) // for what starts have set off
			stop := trickle(t, ports)
			defer stop()
			time.Sleep(5 * time.Second)

			heard := a.heard(t)
			daemon, agent, begun := cpu(t, d.PID()), cpu(t, a.PID()), time.Now()
			// Scraped as often as by default.
			for time.Since(begun) < measured {
				time.Sleep(min(15*time.Second, measured-time.Since(begun)))
				if _, err := a.body(protobuf); err != nil {
					t.Fatal(err)
				}
			}
			span := time.Since(begun).Seconds()
			shares[i][0] = (cpu(t, d.PID()) - daemon).Seconds() / span * 100
			shares[i][1] = (cpu(t, a.PID()) - agent).Seconds() / span * 100
			heard = a.heard(t) - heard
			if want := measured.Seconds() / interval.Seconds() * processes; with && (heard < want*0.9 || heard > want*1.15) || !with && heard != 0 {
				t.Errorf("%v reports, want %v", heard, want)
			}
			table.Add(name, heard, shares[i][0], shares[i][1])
		})
	}
	table.Add("difference", "", shares[1][0]-shares[0][0], shares[1][1]-shares[0][1])
	// Far above what was measured; a tenth of a core would be a fault.
	if daemon, agent := shares[1][0]-shares[0][0], shares[1][1]-shares[0][1]; daemon > 10 || agent > 10 {
		t.Errorf("pm25-ext costs PM2's daemon %v %% of a core, the agent %v %%", daemon, agent)
	}
	doc.Write(t, "cost", table)
}

// heard is how many reports the agent has read.
func (a *agent) heard(t testing.TB) (n float64) {
	t.Helper()
	f, err := a.families("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range f["pm25_agent_bus_messages_total"].GetMetric() {
		for _, l := range m.GetLabel() {
			if l.GetName() == "kind" && l.GetValue() == "report" {
				n = m.GetCounter().GetValue()
			}
		}
	}
	return n
}

// hundred starts the processes, ten apps of ten in fork mode, and returns
// their ports.
func hundred(t *testing.T, d *pm2test.Daemon, with bool) (ports []int) {
	t.Helper()
	for i := range processes / 10 {
		first := 20000 + 10*i // below what the kernel gives to others
		spec := pm2test.AppSpec{
			Name: fmt.Sprintf("cheap%d", i), Script: appPath("cheap.js"), Env: map[string]string{"PORT": fmt.Sprint(first)},
			Extra: map[string]any{"instances": 10, "exec_mode": "fork"},
		}
		if with {
			spec.NodeArgs = []string{"--require", extPath("register.cjs")}
		}
		d.App(t, spec)
		for j := range 10 {
			ports = append(ports, first+j)
		}
	}
	listening(t, ports...)
	return ports
}

// trickle asks each port once a second.
func trickle(t testing.TB, ports []int) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(time.Second / time.Duration(len(ports)))
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if _, err := ask(context.Background(), fresh, ports[n%len(ports)], http.MethodGet, fmt.Sprintf("/users/%d", n)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	return func() { close(done); wg.Wait() }
}
