package rules

import (
	"regexp"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// Globs match a value of a label if any of them does: * stands for anything, ?
// for one character. In YAML they are one text or a list of them.
type Globs []string

// UnmarshalYAML reads one glob or a list.
func (g *Globs) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if err := unmarshal(&one); err == nil {
		*g = Globs{one}
		return nil
	}
	var list []string
	if err := unmarshal(&list); err != nil {
		return err
	}
	*g = list
	return nil
}

// matcher is what matches them, or all others, in a selector.
func (g Globs) matcher(label string, matches bool) *labels.Matcher {
	if len(g) == 1 && !strings.ContainsAny(g[0], "*?") {
		if matches {
			return labels.MustNewMatcher(labels.MatchEqual, label, g[0])
		}
		return labels.MustNewMatcher(labels.MatchNotEqual, label, g[0])
	}
	expressions := make([]string, len(g))
	for i, glob := range g {
		expressions[i] = strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(glob))
	}
	expr := strings.Join(expressions, "|")
	if matches {
		return labels.MustNewMatcher(labels.MatchRegexp, label, expr)
	}
	return labels.MustNewMatcher(labels.MatchNotRegexp, label, expr)
}
