package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/rules/strictyaml"
)

// check notes each setting that can not be.
func (c Config) check(d *strictyaml.Document) {
	if c.Language != "" && c.Language != English && c.Language != Chinese {
		d.Wrong("language", "it is %q: write en or zh", c.Language)
	}
	for _, job := range [][2]string{{"job", c.Job}, {"server_job", c.ServerJob}} {
		switch {
		case job[1] == "":
			d.Wrong(job[0], "it is empty: name the scrape job of agents (pm2), or of PM25's server (pm25)")
		case strings.ContainsAny(job[1], "\"\\\n"):
			d.Wrong(job[0], "a quote, a backslash or an end of line can not be in it")
		}
	}
	for _, link := range [][2]string{{"pm25_url", c.PM25URL}, {"runbook_url", c.RunbookURL}, {"grafana_url", c.GrafanaURL}, {"alertmanager_url", c.AlertmanagerURL}} {
		if err := CheckURL(link[1]); err != nil {
			d.Wrong(link[0], "it %v", err)
		}
	}
	c.checkHostLabels(d)
	c.checkSLOs(d)
	c.checkThresholds(d, "thresholds", c.Thresholds.values())
	c.checkOverrides(d)
	c.checkAlerts(d)
	if d.Err() != nil {
		return // what follows can say less well what is wrong
	}
	_, err := c.customize(builtin(c))
	if w, ok := errors.AsType[wrong](err); ok {
		d.Wrong(w.path, "%s", w.text)
	} else if err != nil {
		d.Add(err)
	}
}

// wrong is what is wrong with the value at a path, and how to mend it.
type wrong struct{ path, text string }

func (w wrong) Error() string { return w.path + ": " + w.text }

func (c Config) checkHostLabels(d *strictyaml.Document) {
	for i, label := range c.HostLabels {
		at := fmt.Sprintf("host_labels[%d]", i)
		if !model.LegacyValidation.IsValidLabelName(label) {
			d.Wrong(at, "%q is no name of a label: it has letters, digits and _", label)
		}
		if slices.Contains([]string{"app", "pm2_namespace", "slo"}, label) {
			d.Wrong(at, "%s tells services apart, not hosts: remove it", label)
		}
	}
}

// checkThresholds holds that values of thresholds, by name, can be.
func (c Config) checkThresholds(d *strictyaml.Document, path string, values map[string]float64) {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if _, ok := c.Thresholds.lookup(name); !ok {
			d.Wrong(path+"."+name, "there is no such threshold; %s", strictyaml.Known(name, thresholdNames()))
		} else if err := c.checkThreshold(name, values[name]); err != nil {
			d.Wrong(path+"."+name, "%v", err)
		}
	}
}

func (c Config) checkOverrides(d *strictyaml.Document) {
	used := c.usedThresholds()
	for i, o := range c.Overrides {
		at := fmt.Sprintf("overrides[%d]", i)
		if len(o.Match.condition()) == 0 {
			d.Wrong(at+".match", "it matches everything: name bucket, pm2_namespace, app or host, as in {app: \"batch-*\"}, or set the values under thresholds for all")
		}
		if len(o.Thresholds) == 0 {
			d.Wrong(at+".thresholds", "it has none: name what is other for these, as in {crash_loop_ends: 10}, or remove the override")
		}
		c.checkThresholds(d, at+".thresholds", o.Thresholds)
		for _, name := range slices.Sorted(maps.Keys(o.Thresholds)) {
			if _, ok := c.Thresholds.lookup(name); ok && !used[name] {
				d.Wrong(at+".thresholds."+name, "no alert compares with it, only boards do, for all alike: set it under thresholds")
			}
		}
	}
}

// usedThresholds are those that an expression compares with.
func (c Config) usedThresholds() map[string]bool {
	used := map[string]bool{}
	for _, g := range builtin(c) {
		for _, r := range g.Records {
			for _, name := range thresholdsIn(r.Expr) {
				used[name] = true
			}
		}
		for _, a := range g.Alerts {
			for _, name := range thresholdsIn(a.Expr) {
				used[name] = true
			}
		}
	}
	return used
}

func (c Config) checkAlerts(d *strictyaml.Document) {
	var known []string
	for _, g := range builtin(c) {
		for _, a := range g.Alerts {
			known = append(known, a.Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Alerts)) {
		if !slices.Contains(known, name) {
			d.Wrong("alerts."+name, "there is no such alert; %s", strictyaml.Known(name, known))
		}
		if s := c.Alerts[name].Severity; s != "" && !slices.Contains(Severities(), s) {
			d.Wrong("alerts."+name+".severity", "it is %q: write critical, warning, info or none", s)
		}
	}
}
