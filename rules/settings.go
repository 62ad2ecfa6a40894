package rules

import "github.com/prometheus/common/model"

// Override sets other thresholds for some apps or hosts. Of those that name a
// threshold of a rule, the first that matches counts.
type Override struct {
	Match      Match              `yaml:"match"`
	Thresholds map[string]float64 `yaml:"thresholds"`
}

// Match says which apps or hosts. What is empty matches all.
type Match struct {
	Bucket    Globs `yaml:"bucket"`
	Namespace Globs `yaml:"pm2_namespace"`
	App       Globs `yaml:"app"`
	Host      Globs `yaml:"host"`
}

// condition is a match by label.
func (m Match) condition() condition {
	c := condition{}
	for label, globs := range map[string]Globs{"bucket": m.Bucket, "pm2_namespace": m.Namespace, "app": m.App, "host": m.Host} {
		if len(globs) > 0 {
			c[label] = globs
		}
	}
	return c
}

// AlertSettings change one alert, all variants of it.
type AlertSettings struct {
	Disabled      bool             `yaml:"disabled"`
	Severity      Severity         `yaml:"severity"`
	For           *model.Duration  `yaml:"for"`
	KeepFiringFor *model.Duration  `yaml:"keep_firing_for"`
	Exclude       map[string]Globs `yaml:"exclude"` // by label; what matches all of them never fires
}

// customized is true where anything is set that changes rules.
func (c Config) customized() bool {
	return len(c.Overrides) > 0 || len(c.Alerts) > 0 || c.Selector != ""
}

// customize applies the settings to the rules. Where there are none they stay as
// they are written.
func (c Config) customize(groups []Group) ([]Group, error) {
	if !c.customized() {
		return groups, nil
	}
	r, err := newRewriter(c, groups)
	if err != nil {
		return nil, err
	}
	for i := range groups {
		g := &groups[i]
		if g.Records, err = each(g.Records, r.records); err != nil {
			return nil, err
		}
		if g.Alerts, err = each(g.Alerts, r.alerts); err != nil {
			return nil, err
		}
	}
	return groups, nil
}

// each replaces each item by what f makes of it.
func each[T any](items []T, f func(T) ([]T, error)) (all []T, err error) {
	for _, item := range items {
		made, err := f(item)
		if err != nil {
			return nil, err
		}
		all = append(all, made...)
	}
	return all, nil
}
