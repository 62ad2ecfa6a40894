package pages

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/pm25/pm25/internal/alertmanager"
)

// parseMatchers reads what a silence is for. What can not be read, and what
// would silence everything, is a problem.
func parseMatchers(lang language, given []string) (matchers []alertmanager.Matcher, problem string) {
	var texts []string
	for _, text := range given {
		if text = strings.TrimSpace(text); text != "" {
			texts = append(texts, text)
		}
	}
	matchers, err := alertmanager.ParseMatchers(texts)
	if err != nil {
		return nil, lang.T("silence.bad.matchers", err.Error())
	}
	if len(matchers) > maxMatchers {
		return nil, lang.T("silence.bad.matchers", fmt.Sprintf("%d > %d", len(matchers), maxMatchers))
	}
	narrow := false
	for _, m := range matchers {
		if _, err := pattern(m); err != nil {
			return nil, lang.T("silence.bad.matchers", err.Error())
		}
		narrow = narrow || !covers([]alertmanager.Matcher{m}, nil)
	}
	if !narrow {
		return nil, lang.T("silence.bad.empty")
	}
	return matchers, ""
}

func matcherTexts(matchers []alertmanager.Matcher) []string {
	var out []string
	for _, m := range matchers {
		out = append(out, m.String())
	}
	return out
}

// covers tells whether all matchers match an alert, as Alertmanager does it: a
// label that is not there is empty.
func covers(matchers []alertmanager.Matcher, labels map[string]string) bool {
	for _, m := range matchers {
		re, err := pattern(m)
		if err != nil || re.MatchString(labels[m.Name]) == m.Negative {
			return false
		}
	}
	return true
}

func pattern(m alertmanager.Matcher) (*regexp.Regexp, error) {
	if m.Regex {
		return regexp.Compile("^(?:" + m.Value + ")$")
	}
	return regexp.Compile("^" + regexp.QuoteMeta(m.Value) + "$")
}
