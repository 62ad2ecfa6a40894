package rules

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pm25/pm25/docs/runbooks"
)

// comparedBy lists the thresholds that decide whether an alert fires, those in what
// it is made of included.
func comparedBy(name string) []string {
	used := map[string]bool{}
	for _, g := range named(Groups(Default()), "name: "+name+" fires") {
		for _, r := range g.Records {
			for _, threshold := range thresholdsIn(r.Expr) {
				used[threshold] = true
			}
		}
		for _, a := range g.Alerts {
			if a.Name != name {
				continue
			}
			for _, threshold := range thresholdsIn(a.Expr) {
				used[threshold] = true
			}
		}
	}
	known := Default().Thresholds.values()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(used)), func(name string) bool { _, ok := known[name]; return !ok })
}

// TestTextsNameThresholds: a description names thresholds of its own expression, and
// a summary none, as it is also told without them.
func TestTextsNameThresholds(t *testing.T) {
	c, changed := Default(), Default()
	for _, name := range thresholdNames() {
		changed.Thresholds.override(map[string]float64{name: 7 * c.Thresholds.values()[name]}, []string{name})
	}
	n := 0
	for _, a := range Alerts(c) {
		if strings.Contains(a.Summary.EN+a.Summary.ZH, "${") {
			t.Errorf("%s: a threshold in its summary", a.Name)
		}
		inEnglish, inChinese := inText.FindAllString(a.Description.EN, -1), inText.FindAllString(a.Description.ZH, -1)
		for _, found := range slices.Concat(inEnglish, inChinese) {
			if name := inText.FindStringSubmatch(found)[1]; !slices.Contains(comparedBy(a.Name), name) {
				t.Errorf("%s: its expression does not compare with %s", a.Name, name)
			}
		}
		slices.Sort(inEnglish)
		slices.Sort(inChinese)
		if !slices.Equal(inEnglish, inChinese) {
			t.Errorf("%s: thresholds %q in English, %q in Chinese", a.Name, inEnglish, inChinese)
		}
		if len(inEnglish) == 0 {
			continue
		}
		n++
		for _, language := range []string{English, Chinese} {
			was, is := c.describe(a.Description, a.Expr).in(language), changed.describe(a.Description, a.Expr).in(language)
			if was == is || strings.Contains(was+is, "${") {
				t.Errorf("%s: with other thresholds its text is still %s", a.Name, is)
			}
		}
	}
	if n < 6 {
		t.Errorf("only %d descriptions name thresholds", n)
	}
}

// numerals are how texts say a number of things, how often, and a share.
func numerals() map[float64]string {
	return map[float64]string{
		2: "two|twice|double|more than once|两|二|不止一次", 3: "three|三", 4: "four|四", 5: "five|五", 10: "ten|十", 30: "thirty|三十",
		0.05: "5 ?%|twentieth|one in twenty|百分之五", 0.1: "10 ?%|a tenth|十分之一", 0.5: "50 ?%|half|一半", 0.9: "90 ?%|nine tenths|九成", 0.95: "95 ?%", 0.98: "98 ?%",
		1: "a second|一秒", 60: "a minute|one minute|一分钟", 300: "minutes|five minutes|数分钟|五分钟", 1800: "half an hour|半小时",
		14400: "within hours|four hours|数小时|四小时", 21600: "hours|six hours|数小时|六小时",
	}
}

var ofTime = regexp.MustCompile(`^(个)?\s*(seconds?|minutes?|hours?|days?|秒|分钟|小时|天|%)`)

// literal finds the value of a threshold in a text.
func literal(name string, value float64, text string) string {
	digits := regexp.QuoteMeta(number(value))
	words := numerals()[value]
	if words != "" {
		words = "|" + words
	}
	pattern := regexp.MustCompile(`(?i)(?:^|[^\w.])(` + digits + words + `)(?:$|[^\w.])`)
	if words != "" && regexp.MustCompile(`\p{Han}`).MatchString(text) { // whose words have no spaces between them
		pattern = regexp.MustCompile(`(?:^|[^\w.])(` + digits + `)(?:$|[^\w.])|(` + words[1:] + `)`)
	}
	for _, at := range pattern.FindAllStringSubmatchIndex(text, -1) {
		if at[2] < 0 {
			at = at[2:]
		}
		// The windows of rules are fixed: "five minutes" is no number of things.
		if !strings.HasSuffix(name, "_seconds") && ofTime.MatchString(strings.TrimSpace(text[at[3]:])) {
			continue
		}
		return text[at[2]:at[3]]
	}
	return ""
}

var templated = regexp.MustCompile(`\{\{.*?\}\}|\$\{.*?\}|"[^"]*"`)

// TestTextsHoldNoFixedThreshold: no text of an alert holds as a word what a
// threshold of it is by default; with another one it would be wrong.
func TestTextsHoldNoFixedThreshold(t *testing.T) {
	values := Default().Thresholds.values()
	for _, a := range Alerts(Default()) {
		for _, name := range comparedBy(a.Name) {
			for _, text := range []string{a.Summary.EN, a.Description.EN, a.Summary.ZH, a.Description.ZH} {
				if found := literal(name, values[name], templated.ReplaceAllString(text, "…")); found != "" {
					t.Errorf("%s: %q stands for %s in: %s", a.Name, found, name, text)
				}
			}
		}
	}
	for _, c := range []struct {
		name  string
		value float64
		text  string
		want  string
	}{
		{"cluster_imbalance", 2, "more than twice the mean", "twice"},
		{"cluster_imbalance", 2, "超过平均值的两倍", "两"},
		{"memory_limit_restarts", 2, "more than once within two hours", "more than once"},
		{"memory_limit_restarts", 2, "in two hours, or 12", ""},
		{"hung_seconds", 60, "not turned for a minute: it", "a minute"},
		{"hung_seconds", 60, "已有一分钟没有", "一分钟"},
		{"deploy_window_seconds", 1800, "the last half hour", ""},
		{"deploy_window_seconds", 1800, "last half an hour", "half an hour"},
		{"gc_ratio", 0.1, "more than 10 % of", "10 %"},
	} {
		if got := literal(c.name, c.value, c.text); got != c.want {
			t.Errorf("%s in %q: %q, want %q", c.name, c.text, got, c.want)
		}
	}
}

// TestRunbooksNameThresholds: a runbook speaks of the default thresholds, and says
// which these are.
func TestRunbooksNameThresholds(t *testing.T) {
	values := Default().Thresholds.values()
	for _, name := range runbooks.Names() {
		var pairs []string
		for _, threshold := range comparedBy(name) {
			pairs = append(pairs, fmt.Sprintf("`%s: %s`", threshold, number(values[threshold])))
		}
		for language, format := range map[string]string{English: "\n\nNumbers are those of the default thresholds: %s.\n", Chinese: "\n\n以上数值对应默认阈值：%s。\n"} {
			text, _ := runbooks.Text(name, language)
			want := ""
			if len(pairs) > 0 {
				want = fmt.Sprintf(format, strings.Join(pairs, map[string]string{English: ", ", Chinese: "、"}[language]))
			}
			head, _, _ := strings.Cut(format, "%s")
			if i := strings.Index(string(text), head); i < 0 && want != "" || i >= 0 && string(text)[i:] != want {
				t.Errorf("the runbook of %s in %s does not end with %q", name, language, want)
			}
		}
	}
}

func TestInWords(t *testing.T) {
	for seconds, want := range map[float64]string{
		1: "1 second, 1 秒", 60: "1 minute, 1 分钟", 90: "90 seconds, 90 秒", 0.5: "0.5 seconds, 0.5 秒", 1800: "30 minutes, 30 分钟", 3600: "1 hour, 1 小时",
		5400: "90 minutes, 90 分钟", 172800: "2 days, 2 天",
	} {
		if got := inWords(English, seconds) + ", " + inWords(Chinese, seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
