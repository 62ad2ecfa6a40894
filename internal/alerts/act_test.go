//go:build alerts && linux

package alerts

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
	"github.com/pm25/pm25/rules"
)

// act is one trouble: how it is caused, what has to be told of it, and how it
// is mended.
type act struct {
	name  string // as the table says it
	alert string
	// app is what it is about; without one it is about the host, and is alone in
	// its scene.
	app    string
	labels map[string]string // besides app, alertname, severity and scope
	// apps run when it begins.
	apps []pm2test.AppSpec
	// warm is how long the app has to have been up before: the alert lets young
	// processes off.
	warm time.Duration
	// window is what the expression waits for by itself, which `for` does not say.
	window time.Duration
	// aim is how soon it has to be told; 0: `for`, window and 45 s.
	aim time.Duration
	// cause causes it and returns when it had happened.
	cause func(t *testing.T, s *scene) time.Time
	mend  func(t *testing.T, s *scene)
	// mends is how long the expression goes on after that.
	mends time.Duration
	// beside are alerts that may fire too: name and reason.
	beside map[string]string
	// group is what the page of exceptions has to show.
	group string
	// changed says what is not as shipped.
	changed string
}

// row is what was seen of an act.
type row struct {
	act    act
	took   time.Duration
	told   []string // besides
	held   []string // fired and not told
	ended  time.Duration
	load   string
	played bool
}

// busy is how much later than aimed at something may be told on a busy machine; the
// table says so.
const busy = 30 * time.Second

// play runs an act in a scene that others may be in too.
func (a act) play(t *testing.T, s *scene) row {
	rule, ok := ruleOf(a.alert)
	if !ok {
		t.Fatalf("there is no rule %s", a.alert)
	}
	if a.aim == 0 {
		a.aim = rule.For + a.window + 45*time.Second
	}
	names := map[string]string{a.alert: "the cause"}
	for name, why := range a.beside {
		names[name] = why
	}
	s.claim(a.isAbout, names)
	if len(a.apps) > 0 {
		s.start(t, a.apps...)
		s.waitScraped(t, `pm2_process_state{app=%q}`, a.apps[0].Name)
		pause(t.Context(), a.warm)
	}
	at := a.cause(t, s)
	t.Logf("caused at %s", at.Format(time.TimeOnly))
	told := s.await(t, a.aim+2*time.Minute, a.match("firing")...)
	r := row{act: a, took: told.At.Sub(at), load: load(), played: true}
	t.Logf("told after %v: %v", r.took.Round(10*time.Millisecond), told)
	if r.took < 0 {
		t.Errorf("told %v before it was caused", -r.took)
	}
	if r.took > a.aim+busy {
		t.Errorf("told after %v, the aim is %v", r.took, a.aim)
	}
	a.checkLabels(t, told, rule)
	uptest.FollowLinks(t, s.up, told, uptest.Promise{App: a.app, Group: a.group})
	if a.mend != nil {
		a.mend(t, s)
		mended := time.Now()
		resolved := s.await(t, a.mends+rule.KeepFiringFor+7*time.Minute, a.match("resolved")...)
		r.ended = resolved.At.Sub(mended)
		t.Logf("told as resolved after %v", r.ended.Round(time.Second))
	}
	r.told, r.held = s.besides(t, a)
	t.Logf("told besides: %q, fired besides and not told: %q", r.told, r.held)
	return r
}

func ruleOf(name string) (rules.Alert, bool) {
	all := rules.Alerts(rules.Default())
	i := slices.IndexFunc(all, func(a rules.Alert) bool { return a.Name == name })
	if i < 0 {
		return rules.Alert{}, false
	}
	return all[i], true
}

// match are a status and labels as Webhook.Told takes them.
func (a act) match(status string) []string {
	out := []string{status, "alertname", a.alert}
	if a.app != "" {
		out = append(out, "app", a.app)
	}
	for name, value := range a.labels {
		out = append(out, name, value)
	}
	return out
}

func (a act) isAbout(labels map[string]string) bool { return a.app == "" || labels["app"] == a.app }

// await waits for an alert at the webhook.
func (s *scene) await(t *testing.T, within time.Duration, statusAndLabels ...string) uptest.Told {
	t.Helper()
	var first uptest.Told
	eventually(t, within, func() error {
		told := s.hook.Told(statusAndLabels...)
		if len(told) == 0 {
			return fmt.Errorf("nobody told of %q", statusAndLabels)
		}
		first = told[0]
		return nil
	})
	return first
}

// besides lists what else was told of an act, and what fired and was held back.
func (s *scene) besides(t *testing.T, a act) (told, held []string) {
	t.Helper()
	for _, labels := range s.fired(t) {
		name := labels["alertname"]
		if name == a.alert || !a.isAbout(labels) {
			continue
		}
		match := []string{"firing", "alertname", name}
		if a.app != "" {
			match = append(match, "app", a.app)
		}
		if len(s.hook.Told(match...)) > 0 {
			told = append(told, name)
		} else {
			held = append(held, name)
		}
	}
	return unique(told), unique(held)
}

func unique(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// checkLabels holds what every alert carries, and what this one has to.
func (a act) checkLabels(t *testing.T, told uptest.Told, rule rules.Alert) {
	t.Helper()
	want := map[string]string{"scope": string(rule.Scope), "severity": string(rule.Severity)}
	switch rule.Scope {
	case rules.ScopeService, rules.ScopePM25, rules.ScopeException:
	default:
		want["host"] = hostName
	}
	for name, value := range a.labels {
		want[name] = value
	}
	for name, value := range want {
		if told.Labels[name] != value {
			t.Errorf("label %s is %q, want %q", name, told.Labels[name], value)
		}
	}
	for _, text := range []string{told.Annotations["summary"], told.Annotations["description"]} {
		if text == "" || strings.Contains(text, "<no value>") || a.app != "" && !strings.Contains(text, a.app) {
			t.Errorf("a text does not say what it is about: %q", text)
		}
	}
}
