package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// daemonLabel is the name that the demo gives its PM2 in the metrics.
const daemonLabel = "demo"

// samples is what the demo reads from the metrics.
type samples struct {
	up    float64
	procs map[int]*sample // by pm_id
}

type sample struct {
	app, namespace string
	states         []string // all that are 1; there should be one
	restarts       float64
	memory         float64 // -1 if there is none, as for a stopped process
}

// parse reads the text format.
func parse(r io.Reader) (samples, error) {
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(r)
	if err != nil {
		return samples{}, fmt.Errorf("the metrics cannot be read: %w", err)
	}
	s := samples{procs: map[int]*sample{}}
	each(families["pm2_up"], func(l map[string]string, v float64) {
		s.up = v
	})
	each(families["pm2_process_state"], func(l map[string]string, v float64) {
		if p := s.proc(l); p != nil && v == 1 {
			p.states = append(p.states, l["state"])
		}
	})
	each(families["pm2_process_restarts_total"], func(l map[string]string, v float64) {
		if p := s.proc(l); p != nil {
			p.restarts = v
		}
	})
	each(families["pm2_process_resident_memory_bytes"], func(l map[string]string, v float64) {
		if p := s.proc(l); p != nil {
			p.memory = v
		}
	})
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

// each calls f for every sample of the demo's daemon in a family.
func each(f *dto.MetricFamily, do func(labels map[string]string, value float64)) {
	for _, m := range f.GetMetric() {
		labels := map[string]string{}
		for _, l := range m.GetLabel() {
			labels[l.GetName()] = l.GetValue()
		}
		if labels["daemon"] != daemonLabel {
			continue
		}
		switch {
		case m.Gauge != nil:
			do(labels, m.Gauge.GetValue())
		case m.Counter != nil:
			do(labels, m.Counter.GetValue())
		case m.Untyped != nil:
			do(labels, m.Untyped.GetValue())
		}
	}
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
