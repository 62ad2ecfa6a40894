package rules

import (
	"log/slog"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
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
	if c, err := ParseConfig(nil); err != nil || !reflect.DeepEqual(c, Default()) {
		t.Errorf("%+v, %v: an empty file changes nothing", c, err)
	}
}

// TestConfigErrors name the line, the path, what is wrong and how to mend it, and no
// types of Go.
func TestConfigErrors(t *testing.T) {
	for text, want := range map[string]string{
		"job: pm2\nlang: zh":                             "line 2: lang: there is no such key; did you mean language?",
		"language: fr":                                   `line 1: language: it is "fr": write en or zh`,
		"thresholds:\n  crash_loop: 3\n":                 "line 2: thresholds.crash_loop: there is no such key; did you mean crash_loop_ends?",
		"thresholds: {xyz: 3}":                           "thresholds.xyz: there is no such key; known here: crash_loop_ends, frequent_restarts, ",
		"thresholds: {crash_loop_ends: 0}":               "line 1: thresholds.crash_loop_ends: it is 0: it has to be more than 0",
		"thresholds: {crash_loop_ends: many}":            "line 1: thresholds.crash_loop_ends: write a number",
		"thresholds: {crash_loop_ends: }":                "line 1: thresholds.crash_loop_ends: write a number",
		"thresholds: {crash_loop_ends: [1]}":             "line 1: thresholds.crash_loop_ends: write a number",
		"thresholds: [1]":                                "line 1: thresholds: keys with values are expected here, as in {crash_loop_ends: …}",
		"grafana_url: grafana":                           "line 1: grafana_url: it is no URL that begins with http:// or https://",
		"job: ''":                                        "line 1: job: it is empty",
		"native_histograms: 1":                           "line 1: native_histograms: write true or false",
		"alerts: {PM2AppDown: {disable: true}}":          "line 1: alerts.PM2AppDown.disable: there is no such key; did you mean disabled? known here: disabled, severity, for, keep_firing_for, exclude",
		"alerts:\n  PM2AppDown:\n    for: soon\n":        "line 3: alerts.PM2AppDown.for: write a time, as in 30s, 5m or 4h",
		"alerts:\n  PM2AppDwn: {disabled: true}\n":       "line 2: alerts.PM2AppDwn: there is no such alert; did you mean PM2AppDown?",
		"alerts: {PM2AppDown: {exclude: {app: {a: b}}}}": "line 1: alerts.PM2AppDown.exclude.app: a list is expected here, as in [one, other]",
		"host_labels: host":                              "line 1: host_labels: a list is expected here",
		"language: en\nlanguage: zh":                     "line 2: language: it is there twice",
		"job: &a pm2\nserver_job: *a":                    "line 1: job: anchors and aliases",
		"job: [":                                         "it is no YAML as it stands",
		"language: fr\njob: ''\nthresholds: {cpu_ratio: -1}": "line 1: language: it is \"fr\": write en or zh\nline 2: job: it is empty: " +
			"name the scrape job of agents (pm2), or of PM25's server (pm25)\nline 3: thresholds.cpu_ratio: it is -1: it has to be more than 0",
	} {
		_, err := ParseConfig([]byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v\nwant %s", text, err, want)
		}
		if err != nil && regexp.MustCompile(`rules\.|routing\.|struct|float|unmarshal|!!`).MatchString(err.Error()) {
			t.Errorf("%q: in terms of Go: %v", text, err)
		}
	}
}

func TestReadConfig(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yml")
	if _, err := ReadConfig(file); err == nil || err.Error() != "--rules.config.file "+file+": no such file or directory" {
		t.Error(err)
	}
	write(t, file, "language: fr\njob: ''\n")
	_, err := ReadConfig(file)
	for _, want := range []string{"--rules.config.file " + file + ": line 1: language: ", "\n--rules.config.file " + file + ": line 2: job: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
	write(t, file, "language: zh\n")
	if c, err := ReadConfig(file); err != nil || c.Language != Chinese {
		t.Errorf("%+v, %v", c, err)
	}
}

// FuzzParseConfig: whatever people write ends in an error or in rules that Prometheus
// reads.
func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{string(DefaultYAML), "slos: [{name: a, disabled: true}]", "alerts: {PM2AppDown: {for: 1m, exclude: {app: [a, 'b*']}}}", "overrides: [{match: {app: ['a*', \"b'\"]}, thresholds: {hung_seconds: 9}}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ParseConfig([]byte(text))
		if err != nil {
			return
		}
		_, errs := rulefmt.Parse([]byte(File(c)), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Error(errs[0])
		}
	})
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
