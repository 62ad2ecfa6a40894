package alertmanager

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
)

// Matcher is one condition on a label.
type Matcher struct {
	Name, Value     string
	Regex, Negative bool
}

// String writes it as amtool does: app=~"api|web".
func (m Matcher) String() string {
	t := labels.MatchEqual
	switch {
	case m.Regex && m.Negative:
		t = labels.MatchNotRegexp
	case m.Regex:
		t = labels.MatchRegexp
	case m.Negative:
		t = labels.MatchNotEqual
	}
	return (&labels.Matcher{Type: t, Name: m.Name, Value: m.Value}).String()
}

// ParseMatchers reads matchers as amtool does; each text may hold several,
// separated by commas.
func ParseMatchers(texts []string) ([]Matcher, error) {
	var out []Matcher
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		parsed, err := compat.Matchers(text, "pm25")
		if err != nil {
			return nil, fmt.Errorf("matcher %s: %w; write it as app=\"api\" or app=~\"api|web\"", text, err)
		}
		for _, m := range parsed {
			out = append(out, Matcher{
				Name: m.Name, Value: m.Value,
				Regex:    m.Type == labels.MatchRegexp || m.Type == labels.MatchNotRegexp,
				Negative: m.Type == labels.MatchNotEqual || m.Type == labels.MatchNotRegexp,
			})
		}
	}
	return out, nil
}

// AcceptUTF8 lets label names be any UTF-8, as Alertmanager's own program does;
// without it they are letters, digits and underscores. It sets a variable of
// Alertmanager's packages: a program calls it once, before anything else here.
func AcceptUTF8(logger *slog.Logger) { compat.InitFromFlags(logger, featurecontrol.NoopFlags{}) }
