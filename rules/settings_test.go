package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"

	"github.com/pm25/pm25/internal/promtest"
)

func configured(t *testing.T, text string) Config {
	t.Helper()
	c, err := ParseConfig([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find returns an alert, all that have this name.
func find(c Config, name string) (found []Alert) {
	for _, a := range Alerts(c) {
		if a.Name == name {
			found = append(found, a)
		}
	}
	return found
}

// TestSettings runs promtool on rules with the settings in testdata/settings.
func TestSettings(t *testing.T) {
	promtool := promtest.Binary(t, "promtool")
	tests, err := filepath.Glob("testdata/settings/*.yml")
	if err != nil || len(tests) == 0 {
		t.Fatalf("no tests of settings: %v", err)
	}
	for _, file := range tests {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yml"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n---\n")
			with := configured(t, first)
			tested := append([]byte("rule_files: [pm25.yml]\n"), text[len(first)+len("\n---\n"):]...)
			dir := t.TempDir()
			write(t, filepath.Join(dir, "pm25.yml"), File(with))
			write(t, filepath.Join(dir, "test.yml"), string(tested))
			promtoolSays(t, promtool, "check", "rules", "--lint=all", "--lint-fatal", filepath.Join(dir, "pm25.yml"))
			promtoolSays(t, promtool, "test", "rules", filepath.Join(dir, "test.yml"))
		})
	}
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestSettingsOfOneAlert(t *testing.T) {
	c := configured(t, `
alerts:
  PM2AppStopped: {disabled: true}
  PM2AppDown: {severity: warning, for: 5m, keep_firing_for: 0s}
`)
	if len(find(c, "PM2AppStopped")) != 0 {
		t.Error("PM2AppStopped is disabled, and there")
	}
	if a := find(c, "PM2AppDown")[0]; a.Severity != Warning || duration(a.For) != "5m" || a.KeepFiringFor != 0 || a.Expr != c.expand(appDown().Expr) {
		t.Errorf("PM2AppDown: %+v", a)
	}
}

// TestTextStays: an expression that no setting is about is left as it is written.
func TestTextStays(t *testing.T) {
	c := configured(t, "overrides: [{match: {app: batch}, thresholds: {crash_loop_ends: 9}}]")
	for i, a := range Alerts(Default()) {
		if expr := Alerts(c)[i].Expr; !strings.Contains(a.Expr, "${crash_loop_ends}") && expr != c.expand(a.Expr) {
			t.Errorf("%s was written anew:\n%s", a.Name, expr)
		}
	}
	loop := find(c, "PM2CrashLoop")[0].Expr
	if n := strings.Count(loop, `app!="batch"`); n == 0 || strings.Count(loop, `app="batch"`) != n {
		t.Error(loop)
	}
}

// TestSelector: it is put on what agents expose, and on nothing else.
func TestSelector(t *testing.T) {
	c := configured(t, `selector: 'bucket="prod"'`)
	recorded := regexp.MustCompile(`pm2_[a-z]+:[a-z0-9_:]+(\{[^}]*\})?`)
	for _, g := range Groups(c) {
		for _, a := range g.Alerts {
			for line := range strings.Lines(a.Expr) {
				line = recorded.ReplaceAllString(line, "")
				if strings.Contains(line, "pm2_") && strings.Contains(line, "{") != strings.Contains(line, `bucket="prod"`) {
					t.Errorf("%s: %s", a.Name, line)
				}
			}
		}
	}
	down := find(c, "PM2HostDown")[0].Expr
	if !strings.Contains(down, `up{bucket="prod",host!="",job="pm2"}`) || strings.Count(down, "prod") != 1 {
		t.Error(down)
	}
}

// TestCellsAreDisjoint: whatever is overridden, each series belongs to one rule.
func TestCellsAreDisjoint(t *testing.T) {
	c := configured(t, `
overrides:
  - {match: {app: "a*", host: h1}, thresholds: {crash_loop_ends: 5}}
  - {match: {app: [ab, "*z"]}, thresholds: {crash_loop_ends: 6}}
`)
	r, err := newRewriter(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	exprs, err := r.variants("test", `pm2_app_exits_total > ${crash_loop_ends}`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for series, want := range map[[2]string]string{
		{"ab", "h1"}: "5", {"ab", "h2"}: "6", {"az", "h1"}: "5", {"az", "h2"}: "6", {"c", "h1"}: "4", {"a", "h2"}: "4",
	} {
		var got []string
		for _, expr := range exprs {
			e, _ := r.parser.ParseExpr(expr)
			if selects(t, e, map[string]string{"app": series[0], "host": series[1]}) {
				got = append(got, expr[strings.LastIndex(expr, " ")+1:])
			}
		}
		if len(got) != 1 || got[0] != want {
			t.Errorf("%v is compared with %q, want %s", series, got, want)
		}
	}
}

func TestBadSettings(t *testing.T) {
	for text, want := range map[string]string{
		"alerts: {PM2AppDown: {severity: page}}":     `line 1: alerts.PM2AppDown.severity: it is "page": write critical, warning, info or none`,
		"alerts: {PM2AppDown: {exclude: {ap: web}}}": "line 1: alerts.PM2AppDown.exclude.ap: its metrics have no such label; did you mean app? known here: ",
		"selector: bucket=prod":                      `line 1: selector: bucket=prod is no matchers: write them as bucket="prod"`,
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

// TestBadOverrides: errors name the override, what is wrong with it, and what it may
// be.
func TestBadOverrides(t *testing.T) {
	const good = "overrides:\n- {match: {app: z}, thresholds: {hung_seconds: 9}}\n- "
	for text, want := range map[string]string{
		"{match: {app: a}, thresholds: {crash_loop_end: 3}}":           "overrides[1].thresholds.crash_loop_end: there is no such threshold; did you mean crash_loop_ends?",
		"{match: {app: a}, thresholds: {crash_loop_ends: 0}}":          "overrides[1].thresholds.crash_loop_ends: it is 0: it has to be more than 0",
		"{match: {app: a}, thresholds: {crash_loop_ends: often}}":      "overrides[1].thresholds.crash_loop_ends: write a number",
		"{match: {app: a}, thresholds: {deploy_window_seconds: 7200}}": "overrides[1].thresholds.deploy_window_seconds: it is 7200: it can be 3600 at most",
		"{match: {app: a}, thresholds: {route_slow_seconds: 0.7}}":     "overrides[1].thresholds.route_slow_seconds: 0.7 s is no bucket of pm2_http_request_duration_seconds",
		"{match: {app: a}, thresholds: {route_warn_seconds: 0.5}}":     "overrides[1].thresholds.route_warn_seconds: no alert compares with it, only boards do",
		"{match: {app: a}}": "overrides[1].thresholds: it has none: name what is other for these, as in {crash_loop_ends: 10}",
		"{match: {apps: a}, thresholds: {crash_loop_ends: 3}}":     "overrides[1].match.apps: there is no such key; did you mean app? known here: bucket, pm2_namespace, app, host",
		"{match: {app: {a: b}}, thresholds: {crash_loop_ends: 3}}": "overrides[1].match.app: a list is expected here, as in [one, other]",
		"{threshold: {crash_loop_ends: 3}}":                        "overrides[1].threshold: there is no such key; did you mean thresholds? known here: match, thresholds",
		"{thresholds: {crash_loop_ends: 3}}":                       `overrides[1].match: it matches everything: name bucket, pm2_namespace, app or host, as in {app: "batch-*"}, or set`,
		"{match: {app: a}, thresholds: {host_load_per_cpu: 3}}":    "overrides[1].match.app: PM2HostOverloaded compares with host_load_per_cpu, and can not tell by app what it is about: match by bucket or host only",
		strings.Repeat("{match: {app: a, host: b, bucket: c}, thresholds: {crash_loop_ends: 3}}\n- ", 4) + "{match: {app: a, host: b, bucket: c}, thresholds: {crash_loop_ends: 3}}": "overrides[4].match: with those before it, for PM2CrashLoop, so many matches",
	} {
		if _, err := ParseConfig([]byte(good + text)); err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "line ") {
			t.Errorf("%s: %v\nwant %s", text, err, want)
		}
	}
}

// TestRouteSlowOverride: how long a route may take is other for some apps.
func TestRouteSlowOverride(t *testing.T) {
	const text = "overrides: [{match: {app: report}, thresholds: {route_slow_seconds: 5}}]\n"
	for extra, want := range map[string][]string{
		"":                          {`increase(pm2_http_request_duration_seconds_bucket{app!="report",code!~"1xx|5xx",le=~"1|1\\.0"}`, `increase(pm2_http_request_duration_seconds_bucket{app="report",code!~"1xx|5xx",le=~"5|5\\.0"}`},
		"native_histograms: true\n": {`histogram_fraction(0, 1, sum without (code) (increase(pm2_http_request_duration_seconds{app!="report"`, `histogram_fraction(0, 5, sum without (code) (increase(pm2_http_request_duration_seconds{app="report"`},
	} {
		c := configured(t, text+extra)
		var expr string
		for _, g := range Groups(c) {
			for _, r := range g.Records {
				if r.Name == routeTold {
					expr = strings.Join(strings.Fields(c.expand(r.Expr)), "")
				}
			}
		}
		for _, w := range want {
			if !strings.Contains(expr, strings.Join(strings.Fields(w), "")) {
				t.Errorf("%q: no %s in\n%s", extra, w, expr)
			}
		}
	}
}

// TestPrometheusRule: the resource holds the rule file.
func TestPrometheusRule(t *testing.T) {
	var resource struct {
		APIVersion string `yaml:"apiVersion"`
		Kind       string
		Spec       map[string]any
	}
	if err := yaml.Unmarshal([]byte(PrometheusRule(Default())), &resource); err != nil {
		t.Fatal(err)
	}
	var file map[string]any
	if err := yaml.Unmarshal([]byte(File(Default())), &file); err != nil {
		t.Fatal(err)
	}
	spec, _ := yaml.Marshal(resource.Spec)
	if want, _ := yaml.Marshal(file); string(spec) != string(want) || resource.Kind != "PrometheusRule" || resource.APIVersion != "monitoring.coreos.com/v1" {
		t.Errorf("%s %s with another content than the rule file", resource.APIVersion, resource.Kind)
	}
}
