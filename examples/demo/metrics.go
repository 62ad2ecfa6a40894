package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/promtest"
)

// daemonLabel is the name that the demo gives its PM2 in the metrics.
const daemonLabel = "demo"

// samples is what the demo reads from Prometheus.
type samples struct {
	procs map[int]*sample // by pm_id
}

type sample struct {
	app, namespace string
	states         []string // all that are 1; there should be one
	restarts       float64
	memory         float64 // -1 if there is none, as for a stopped process
}

// read asks for the demo's daemon.
func read(query func(expr string) ([]promtest.Series, error)) (samples, error) {
	s := samples{procs: map[int]*sample{}}
	for _, q := range []struct {
		expr string
		take func(p *sample, labels map[string]string, value float64)
	}{
		{"pm2_process_state{daemon=%q} == 1", func(p *sample, l map[string]string, _ float64) { p.states = append(p.states, l["state"]) }},
		{"pm2_process_restarts_total{daemon=%q}", func(p *sample, _ map[string]string, v float64) { p.restarts = v }},
		{"pm2_process_resident_memory_bytes{daemon=%q}", func(p *sample, _ map[string]string, v float64) { p.memory = v }},
	} {
		found, err := query(fmt.Sprintf(q.expr, daemonLabel))
		if err != nil {
			return samples{}, err
		}
		for _, series := range found {
			if p := s.proc(series.Labels); p != nil && len(series.Samples) == 1 {
				q.take(p, series.Labels, series.Samples[0].Value)
			}
		}
	}
	return s, nil
}

// proc returns the sample of the process that the labels name.
func (s samples) proc(l map[string]string) *sample {
	id, err := strconv.Atoi(l["pm_id"])
	if err != nil {
		return nil
	}
	p := s.procs[id]
	if p == nil {
		p = &sample{app: l["app"], namespace: l["pm2_namespace"], memory: -1}
		s.procs[id] = p
	}
	return p
}

// stateLabel is how the metrics write a status of PM2's.
func stateLabel(status string) string {
	switch status {
	case "waiting restart":
		return "waiting_restart"
	case "one-launch-status":
		return "one_launch"
	case "online", "launching", "stopping", "stopped", "errored":
		return status
	}
	return "other"
}

func (p *sample) state() string {
	if p == nil || len(p.states) == 0 {
		return "absent"
	}
	return strings.Join(p.states, "+")
}
