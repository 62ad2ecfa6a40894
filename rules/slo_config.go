package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/rules/strictyaml"
)

// SLO is what a service has to keep: a share of its requests is answered, and not
// with 5xx, within a time. Bucket, Namespace, App and Route are globs that say for
// which requests; empty ones match any.
type SLO struct {
	Name      string         `yaml:"name"`
	Bucket    string         `yaml:"bucket"`
	Namespace string         `yaml:"pm2_namespace"`
	App       string         `yaml:"app"`
	Route     string         `yaml:"route"`
	Objective float64        `yaml:"objective"` // share, from 0 to 1
	Latency   model.Duration `yaml:"latency"`
	Exclude   []string       `yaml:"exclude"`  // globs of routes that count for nothing
	Disabled  bool           `yaml:"disabled"` // what it matches has no objective
}

// The objective below which burning the budget minBurn times as fast as it lasts
// would take more failures than there are requests.
const minObjective = 0.94

// UnmarshalYAML reads an SLO; what it does not name is as in the default one.
func (s *SLO) UnmarshalYAML(unmarshal func(any) error) error {
	type plain SLO
	p := plain{Objective: 0.99, Latency: model.Duration(500 * time.Millisecond)}
	if err := unmarshal(&p); err != nil {
		return err
	}
	*s = SLO(p)
	return nil
}

var sloName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

func (c Config) checkSLOs(d *strictyaml.Document) {
	names := map[string]bool{}
	for i, s := range c.SLOs {
		at := fmt.Sprintf("slos[%d]", i)
		switch {
		case !sloName.MatchString(s.Name):
			d.Wrong(at+".name", "it is %q: write a name of letters, digits, dots, - and _", s.Name)
		case names[s.Name]:
			d.Wrong(at+".name", "it is %q, as one before: each needs a name of its own", s.Name)
		}
		names[s.Name] = true
		if !(s.Objective >= minObjective && s.Objective < 1) {
			d.Wrong(at+".objective", "it is %v: it has to be from %v to less than 1, such as 0.99", s.Objective, minObjective)
		}
		if s.Latency <= 0 {
			d.Wrong(at+".latency", "it has to be more than 0, such as 500ms")
		} else if err := c.checkBucket(time.Duration(s.Latency).Seconds()); err != nil {
			d.Wrong(at+".latency", "%v", err)
		}
		if s.forAll() && i < len(c.SLOs)-1 {
			d.Wrong(at, "%s is for all requests, so nothing would count for those after it: move it to the end of the list", s.Name)
		}
	}
	// A list of one's own replaces the default one. Whoever adds an objective for one
	// app hardly means to take it from all others.
	if c.SLOs == nil {
		d.Wrong("slos", "it is empty: write objectives, remove the line, or write [] if no app is to have one")
	}
	if n := len(c.SLOs); n > 0 && !c.SLOs[n-1].forAll() {
		d.Wrong("slos", "no entry is for apps that none of these matches, so PM2ErrorBudgetBurn would never tell of them: "+
			"add {name: default, objective: 0.99, latency: 500ms} as the last, or {name: others, disabled: true} if they are to have no objective")
	}
}

// forAll is true for an SLO that matches every request.
func (s SLO) forAll() bool { return len(s.matchers()) == 0 }

// checkBucket reports a time that classic buckets do not tell apart.
func (c Config) checkBucket(seconds float64) error {
	buckets := catalog.RequestBuckets()
	if c.Native || slices.Contains(buckets, seconds) {
		return nil
	}
	i, _ := slices.BinarySearch(buckets, seconds)
	near := make([]string, 0, 2)
	for _, b := range buckets[max(i-1, 0):min(i+1, len(buckets))] {
		near = append(near, inSeconds(b))
	}
	return fmt.Errorf("%s is no bucket of %s, so nobody can tell how many requests took longer: take %s, or set native_histograms: true",
		inSeconds(seconds), catalog.HTTPRequestDuration, strings.Join(near, " or "))
}

func inSeconds(seconds float64) string {
	return strconv.FormatFloat(seconds, 'f', -1, 64) + " s"
}

// matchers are those of the requests that an SLO is for, but for what earlier ones
// take.
func (s SLO) matchers() []string {
	var all []string
	for _, m := range [][2]string{{"bucket", s.Bucket}, {"pm2_namespace", s.Namespace}, {"app", s.App}, {"route", s.Route}} {
		if text := matcher(m[0], m[1]); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// excludes is the matcher of the routes that count for nothing, or empty.
func (s SLO) excludes() string {
	if len(s.Exclude) == 0 {
		return ""
	}
	patterns := make([]string, len(s.Exclude))
	for i, glob := range s.Exclude {
		patterns[i] = globPattern(glob)
	}
	return "route=~" + strconv.Quote(strings.Join(patterns, "|"))
}

// matcher is the matcher of PromQL for a glob, or empty where that matches all.
func matcher(label, glob string) string {
	switch {
	case glob == "" || glob == "*":
		return ""
	case !strings.ContainsAny(glob, "*?$"): // ${name} would be a threshold
		return label + "=" + strconv.Quote(glob)
	default:
		return label + "=~" + strconv.Quote(globPattern(glob))
	}
}

// globPattern is the regular expression of a glob: * is any letters, ? is one.
func globPattern(glob string) string {
	return strings.NewReplacer(`\*`, ".*", `\?`, ".", `\$`, "[$]").Replace(regexp.QuoteMeta(glob))
}

// negated turns a matcher around.
func negated(matcher string) string {
	if i := strings.Index(matcher, "=~"); i > 0 {
		return matcher[:i] + "!~" + matcher[i+2:]
	}
	return strings.Replace(matcher, "=", "!=", 1)
}

// selection is a set of series: those that all matchers match, without those that
// all of one of minus do.
type selection struct {
	matchers []string
	minus    [][]string
}

// without takes those that all matchers match out of the selection.
func (s selection) without(matchers []string) selection {
	if len(matchers) == 1 {
		s.matchers = append(slices.Clone(s.matchers), negated(matchers[0]))
		return s
	}
	s.minus = append(slices.Clone(s.minus), matchers)
	return s
}

// sloSelection selects the requests that count for an SLO.
func (c Config) sloSelection(i int) selection {
	s := selection{matchers: c.SLOs[i].matchers()}
	for _, earlier := range c.SLOs[:i] {
		s = s.without(earlier.matchers())
	}
	if excluded := c.SLOs[i].excludes(); excluded != "" {
		s = s.without([]string{excluded})
	}
	return s
}

// slowSelection selects the requests that may be told as slow.
func (c Config) slowSelection() (s selection) {
	for _, o := range c.SLOs {
		if excluded := o.excludes(); excluded != "" {
			s = s.without(append(o.matchers(), excluded))
		}
	}
	return s
}

// selector writes the selector of a metric.
func selector(metric string, matchers ...string) string {
	if len(matchers) == 0 {
		return metric
	}
	return metric + "{" + strings.Join(matchers, ",") + "}"
}
