package catalog

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	legalMetric = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	legalLabel  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
)

// TestNamesFollowTheConventions holds the rules of Prometheus' naming guide
// that a linter of expositions does not see.
func TestNamesFollowTheConventions(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range slices.Concat(All(), Server().Metrics, Notify().Metrics) {
		if !legalMetric.MatchString(m.Name) {
			t.Errorf("%s: not a legacy metric name", m.Name)
		}
		if seen[m.Name] {
			t.Errorf("%s: twice in the catalog", m.Name)
		}
		seen[m.Name] = true
		if !strings.HasPrefix(m.Name, "pm2_") && !strings.HasPrefix(m.Name, "pm25_agent_") && !strings.HasPrefix(m.Name, "pm25_server_") && !strings.HasPrefix(m.Name, "pm25_notify_") && !strings.HasPrefix(m.Name, "nodejs_") {
			t.Errorf("%s: prefix", m.Name)
		}
		if (m.Type == Counter) != strings.HasSuffix(m.Name, "_total") {
			t.Errorf("%s: _total is for counters, and counters only", m.Name)
		}
		if (m.Type == Info) != strings.HasSuffix(m.Name, "_info") {
			t.Errorf("%s: _info is for info metrics, and those only", m.Name)
		}
		base := strings.TrimSuffix(m.Name, "_total")
		if m.Unit != "" && !strings.HasSuffix(base, "_"+m.Unit) {
			t.Errorf("%s: does not end in its unit %s", m.Name, m.Unit)
		}
		if (m.Type == Histogram) != (len(m.Buckets) > 0) || !slices.IsSorted(m.Buckets) {
			t.Errorf("%s: buckets are for histograms, which have some, in order", m.Name)
		}
		if m.Help == "" || !strings.HasSuffix(m.Help, ".") {
			t.Errorf("%s: help is a sentence", m.Name)
		}
	}
}

func TestLabelsAreBoundedAndNotPrometheusOwn(t *testing.T) {
	for _, m := range slices.Concat(All(), Server().Metrics, Notify().Metrics) {
		for _, l := range m.Labels {
			if l.Name == "bucket" && strings.HasPrefix(m.Name, "pm25_server_") {
				continue // of the server's own buckets
			}
			if !legalLabel.MatchString(l.Name) {
				t.Errorf("%s: label %s", m.Name, l.Name)
			}
			if slices.Contains([]string{"job", "instance", "namespace", "le", "quantile", "host", "bucket"}, l.Name) {
				t.Errorf("%s: label %s belongs to Prometheus or to service discovery", m.Name, l.Name)
			}
			if len(l.Values) == 0 && l.Bound == "" {
				t.Errorf("%s: nothing bounds label %s", m.Name, l.Name)
			}
		}
	}
}

func TestLookup(t *testing.T) {
	if m, ok := Lookup(AppExits); !ok || !slices.Contains(m.LabelNames(), "reason") {
		t.Fatalf("Lookup(%s) = %v, %v", AppExits, m, ok)
	}
	if _, ok := Lookup("pm2_nothing"); ok {
		t.Fatal("found a metric that does not exist")
	}
}
