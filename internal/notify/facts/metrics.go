package facts

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/catalog"
)

// A Sample is one value that PromQL gave.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Querier answers PromQL that gives a vector.
type Querier interface {
	Vector(ctx context.Context, expr string, at time.Time) ([]Sample, error)
}

// Metrics finds facts by PromQL.
type Metrics struct {
	querier Querier
	now     func() time.Time
}

// NewMetrics returns Metrics.
func NewMetrics(querier Querier, now func() time.Time) *Metrics { return &Metrics{querier, now} }

// About counts how much of the app is affected, with one question.
func (m *Metrics) About(ctx context.Context, of Subject) (Known, error) {
	var k Known
	if of.App == "" {
		return k, nil
	}
	samples, err := m.querier.Vector(ctx, question(of), m.now())
	if err != nil {
		return k, fmt.Errorf("asking Prometheus about %s: %w", of.App, err)
	}
	n := map[string]int{}
	for _, s := range samples {
		n[s.Labels["what"]] = int(s.Value)
	}
	share := func(part, of string) *Share {
		if n[of] == 0 {
			return nil
		}
		return &Share{Part: min(n[part], n[of]), Of: n[of]}
	}
	k.Workers = share("online", "workers")
	if n["hosts_alerting"] > 0 {
		k.Hosts = share("hosts_alerting", "hosts")
	}
	if of.PMID != "" && n["alerting"] > 0 {
		k.Affected = share("alerting", "processes")
	}
	return k, nil
}

// question asks for all counts at once, told apart by a label.
func question(of Subject) string {
	app := selector(map[string]string{"bucket": of.Bucket, "pm2_namespace": of.Namespace, "app": of.App})
	here := app
	if of.Host != "" {
		here += ", " + selector(map[string]string{"host": of.Host})
	}
	firing := app + ", " + selector(map[string]string{"alertname": of.Alert, "alertstate": "firing"})
	state := catalog.ProcessState
	parts := []struct{ what, expr string }{
		{"online", fmt.Sprintf(`count(%s{%s, state="online"} == 1)`, state, here)},
		{"workers", fmt.Sprintf(`count(%s{%s, state="online"})`, state, here)},
		{"hosts", fmt.Sprintf(`count(count by (host) (%s{%s, state="online"}))`, state, app)},
		{"hosts_alerting", fmt.Sprintf(`count(count by (host) (ALERTS{%s}))`, firing)},
		{"processes", fmt.Sprintf(`count(%s{%s, state="online"})`, state, app)},
		{"alerting", fmt.Sprintf(`count(count by (host, daemon, pm_id) (ALERTS{%s}))`, firing)},
	}
	exprs := make([]string, len(parts))
	for i, p := range parts {
		exprs[i] = fmt.Sprintf(`label_replace(%s, "what", %q, "", "")`, p.expr, p.what)
	}
	return strings.Join(exprs, " or ")
}

// selector writes matchers of the labels that are not empty.
func selector(labels map[string]string) string {
	var out []string
	for _, name := range []string{"alertname", "alertstate", "bucket", "host", "pm2_namespace", "app"} {
		if value := labels[name]; value != "" {
			out = append(out, name+"="+strconv.Quote(value))
		}
	}
	return strings.Join(out, ", ")
}
