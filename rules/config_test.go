package rules

import (
	"reflect"
	"strings"
	"testing"
)

// TestDefaultNamesEveryThreshold: people find in the file whatever they can set.
func TestDefaultNamesEveryThreshold(t *testing.T) {
	v := reflect.TypeFor[Thresholds]()
	for i := range v.NumField() {
		if name := v.Field(i).Tag.Get("yaml"); !strings.Contains(string(DefaultYAML), "\n  "+name+": ") {
			t.Errorf("config.yml does not name %s", name)
		}
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestParseConfig(t *testing.T) {
	c, err := ParseConfig([]byte("thresholds: {crash_loop_ends: 7}\n"))
	if err != nil || c.Thresholds.CrashLoopEnds != 7 || c.Job != "pm2" {
		t.Errorf("%+v, %v: one key changes, the others stay", c, err)
	}
	for text, want := range map[string]string{
		"lang: zh":                            "lang",
		"language: fr":                        "language",
		"thresholds: {crash_loop: 3}":         "crash_loop",
		"thresholds: {crash_loop_ends: 0}":    "crash_loop_ends",
		"thresholds: {crash_loop_ends: many}": "many",
		"grafana_url: grafana":                "grafana_url",
		"job: ''":                             "job",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

// TestExpand: each ${name} of an expression is a threshold.
func TestExpand(t *testing.T) {
	for _, g := range Groups(Default()) {
		for _, r := range g.Records {
			if text := Default().expand(r.Expr); strings.Contains(text, "${") {
				t.Errorf("%s: %s", r.Name, text)
			}
		}
		for _, a := range g.Alerts {
			if text := Default().expand(a.Expr); strings.Contains(text, "${") {
				t.Errorf("%s: %s", a.Name, text)
			}
		}
	}
	if got := Default().expand(`up{job="${job}"} > ${spool_full_ratio} - ${nothing}`); got != `up{job="pm2"} > 0.5 - ${nothing}` {
		t.Error(got)
	}
}
