package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"
)

// inText is a threshold in a description: ${name}, or ${name:duration} for a number
// of seconds in words.
var inText = regexp.MustCompile(`\$\{([a-z_]+)(:duration)?\}`)

// describe puts thresholds into a description. Where overrides change what the
// expression compares with, the description chooses by the labels of the alert, as
// the expression does.
func (c Config) describe(t Text, expr string) Text {
	return Text{EN: c.describeIn(English, t.EN, expr), ZH: c.describeIn(Chinese, t.ZH, expr)}
}

func (c Config) describeIn(language, text, expr string) string {
	names := thresholdsIn(expr)
	return inText.ReplaceAllStringFunc(text, func(found string) string {
		m := inText.FindStringSubmatch(found)
		say := func(t Thresholds) string {
			value, _ := t.lookup(m[1])
			if m[2] == "" {
				return number(value)
			}
			return inWords(language, value)
		}
		usual := say(c.Thresholds)
		var branches []string
		differs := false
		for _, o := range c.Overrides {
			with := c.Thresholds
			if !with.override(o.Thresholds, names) {
				continue
			}
			differs = differs || say(with) != usual
			branches = append(branches, fmt.Sprintf("if %s }}%s{{ else ", o.Match.inTemplate(), say(with)))
		}
		if !differs {
			return usual
		}
		return "{{ " + strings.Join(branches, "") + "}}" + usual + "{{ end }}"
	})
}

// inTemplate is the match as a condition of a template.
func (m Match) inTemplate() string {
	var all []string
	for label, globs := range m.condition() {
		matcher := globs.matcher(label, true)
		if matcher.Type == labels.MatchEqual {
			all = append(all, fmt.Sprintf("(eq $labels.%s %s)", label, strconv.Quote(matcher.Value)))
		} else {
			all = append(all, fmt.Sprintf("(match %s $labels.%s)", strconv.Quote("^(?s:"+matcher.Value+")$"), label))
		}
	}
	slices.Sort(all)
	return "and " + strings.Join(all, " ")
}

type timeUnit struct {
	seconds float64
	name    Text
}

func timeUnits() []timeUnit {
	return []timeUnit{{86400, Text{"day", "天"}}, {3600, Text{"hour", "小时"}}, {60, Text{"minute", "分钟"}}, {1, Text{"second", "秒"}}}
}

// inWords is a time in the largest unit of which it is a whole number.
func inWords(language string, seconds float64) string {
	units := timeUnits()
	i := slices.IndexFunc(units, func(u timeUnit) bool {
		n := seconds / u.seconds
		return n == float64(int64(n))
	})
	if i < 0 {
		i = len(units) - 1
	}
	n, unit := number(seconds/units[i].seconds), units[i].name
	switch {
	case language == Chinese:
		return n + " " + unit.ZH
	case n == "1":
		return n + " " + unit.EN
	}
	return n + " " + unit.EN + "s"
}
