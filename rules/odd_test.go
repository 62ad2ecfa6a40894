package rules

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// TestOddSettings: what is odd is refused, or ends in rules that Prometheus reads
// and that hold what was written.
func TestOddSettings(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{`alerts: {PM2AppDown: {exclude: {app: 'cash$register'}}}`, `app!="cash$register"`},
		{`alerts: {PM2AppDown: {exclude: {app: 'a${job}'}}}`, `app!="a${job}"`},
		{`overrides: [{match: {app: 'a$job*"\x'}, thresholds: {crash_loop_ends: 9}}]`, `app=~"a\\$job.*\"\\\\x"`},
		{`overrides: [{match: {app: "a\nb*"}, thresholds: {crash_loop_ends: 9}}]`, `app=~"a\nb.*"`},
		{`selector: 'bucket=~"x$y|prod$"'`, `absent(up{bucket=~"x$y|prod$",job="pm2"})`},
		{`job: 'it''s $2'`, `absent(up{job="it's $2"})`},
		{`slos: [{name: a, app: 'a"b$c', exclude: ['/x"\d*']}, {name: others, disabled: true}]`, `app=~"a\"b[$]c"`},
	} {
		config, err := ParseConfig([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		file := File(config)
		_, errs := rulefmt.Parse([]byte(file), false, model.LegacyValidation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
		if len(errs) > 0 {
			t.Errorf("%s: %v", c.text, errs[0])
		}
		if !strings.Contains(strings.ReplaceAll(file, `\\n`, `\n`), c.want) {
			t.Errorf("%s: no %s", c.text, c.want)
		}
	}
	for text, want := range map[string]string{
		`job: 'a"b'`:                         "line 1: job: a quote",
		`server_job: 'a\b'`:                  "line 1: server_job: a quote",
		`selector: '__name__="up"'`:          "remove __name__",
		`thresholds: {hung_seconds: 0.5}`:    "whole number",
		`thresholds: {hung_seconds: .inf}`:   "whole number",
		`host_labels: [instance, app]`:       "host_labels",
		`runbook_url: 'http://x/{{'`:         "runbook_url",
		`pm25_url: 'http://x/{{ .Labels }}'`: "pm25_url",
		`overrides: [{match: {app: a}, thresholds: {stopped_seconds: 90.5}}]`: "whole number",
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestDurations: those thresholds that expressions write as durations are known.
func TestDurations(t *testing.T) {
	for _, name := range thresholdNames() {
		used := false
		for _, a := range Alerts(Default()) {
			used = used || strings.Contains(a.Expr, "${"+name+"}s")
		}
		if known := (Config{Native: true}).checkThreshold(name, 1.5) != nil; known != used {
			t.Errorf("%s: is a duration: %t, checked as one: %t", name, used, known)
		}
	}
}
