package compose

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-jsonnet"
	"go.yaml.in/yaml/v3"
)

type ruleGroups struct {
	Groups []struct {
		Name  string
		Rules []struct{ Alert, Record string }
	}
}

// count counts alerting and recording rules, and groups without any.
func (g ruleGroups) count() (alerts, records, empty int) {
	for _, group := range g.Groups {
		if len(group.Rules) == 0 {
			empty++
		}
		for _, r := range group.Rules {
			if r.Alert != "" {
				alerts++
			}
			if r.Record != "" {
				records++
			}
		}
	}
	return alerts, records, empty
}

// TestMixin: jsonnet finds every rule and board that was generated.
func TestMixin(t *testing.T) {
	dir := filepath.Join(root, "deploy", "compose", "generated")
	// Those who use a mixin take its fields, which are hidden by convention.
	text, err := jsonnet.MakeVM().EvaluateAnonymousSnippet("test", `local m = import '`+filepath.Join(dir, "mixin", "mixin.libsonnet")+`';
		{ prometheusAlerts: m.prometheusAlerts, prometheusRules: m.prometheusRules, grafanaDashboards: m.grafanaDashboards }`)
	if err != nil {
		t.Fatal(err)
	}
	var mixin struct {
		PrometheusAlerts, PrometheusRules ruleGroups
		GrafanaDashboards                 map[string]struct{ UID string }
	}
	if err := json.Unmarshal([]byte(text), &mixin); err != nil {
		t.Fatal(err)
	}
	file, err := os.ReadFile(filepath.Join(dir, "prometheus", "rules", "pm25.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var rules ruleGroups
	if err := yaml.Unmarshal(file, &rules); err != nil {
		t.Fatal(err)
	}
	alerts, records, _ := rules.count()
	if a, r, empty := mixin.PrometheusAlerts.count(); a != alerts || a == 0 || r != 0 || empty != 0 {
		t.Errorf("%d alerts of %d, %d records, %d empty groups", a, alerts, r, empty)
	}
	if a, r, empty := mixin.PrometheusRules.count(); a != 0 || r != records || empty != 0 {
		t.Errorf("%d records of %d, %d alerts, %d empty groups", r, records, a, empty)
	}
	boards, err := filepath.Glob(filepath.Join(dir, "grafana", "dashboards", "*.json"))
	if err != nil || len(boards) != len(mixin.GrafanaDashboards) {
		t.Errorf("%d boards of %d, %v", len(mixin.GrafanaDashboards), len(boards), err)
	}
}
