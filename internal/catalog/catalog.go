// Package catalog is the vocabulary of PM25: every metric with its type,
// unit, labels and help.
//
// It is the only bridge between what is measured and what is drawn or alerted
// on. It guarantees that what the exporter and the server emit and what it lists
// are the same (tests of those packages hold that), and that docs/metrics.md,
// generated from it, tells the truth. It holds no values.
package catalog

import "slices"

// Type is the kind of a metric.
type Type string

// The types. Info and StateSet are exposed as gauges.
const (
	Gauge     Type = "gauge"
	Counter   Type = "counter"
	Info      Type = "info"
	StateSet  Type = "stateset"
	Histogram Type = "histogram"
)

// Label is a label of a metric. Values is its closed set, or empty where the
// values come from the system under watch; Bound then says what bounds them.
type Label struct {
	Name   string
	Values []string
	Bound  string
}

// Metric describes one metric.
type Metric struct {
	Name   string
	Type   Type
	Unit   string // "" where it counts things
	Labels []Label
	Help   string
	// Note tells what the help line is too short for: source and absence.
	Note string
	// Buckets are the upper bounds of a histogram's classic buckets; Native
	// says that it has exponential ones too.
	Buckets []float64
	Native  bool
}

// LabelNames returns the names of the metric's labels in order.
func (m Metric) LabelNames() []string {
	names := make([]string, len(m.Labels))
	for i, l := range m.Labels {
		names[i] = l.Name
	}
	return names
}

// Lookup returns the metric of that name.
func Lookup(name string) (Metric, bool) {
	for _, m := range slices.Concat(All(), Server().Metrics, Notify().Metrics) {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}

// All returns every metric of the agent, in the order of the documentation.
func All() []Metric {
	var all []Metric
	for _, group := range Groups() {
		all = append(all, group.Metrics...)
	}
	return all
}

// Group is a chapter of the documentation: what one collector emits.
type Group struct {
	Name    string // the collector's name, as in --collector.<name>
	Title   string
	Metrics []Metric
}

// Switchable is true for what a collector emits; the agent's own facts always
// are.
func (g Group) Switchable() bool { return g.Name != "agent" }

// Groups returns the agent's metrics by collector. Server has those of the
// server.
func Groups() []Group {
	return []Group{
		{Name: "daemon", Title: "PM2 daemons", Metrics: daemonMetrics()},
		{Name: "process", Title: "Processes", Metrics: processMetrics()},
		{Name: "app", Title: "Apps: what happened to them", Metrics: appMetrics()},
		{Name: "http", Title: "Requests", Metrics: httpMetrics()},
		{Name: "nodejs", Title: "Node.js processes with pm25-ext", Metrics: nodejsMetrics()},
		{Name: "custom", Title: "What apps publish through @pm2/io", Metrics: customMetrics()},
		{Name: "host", Title: "The host", Metrics: hostMetrics()},
		{Name: "agent", Title: "The agent itself", Metrics: agentMetrics()},
	}
}
