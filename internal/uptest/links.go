package uptest

import (
	"fmt"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Promise is what the pages behind an alert's links have to show.
type Promise struct {
	App   string // the app that the alert is about, if it is about one
	Group string // text of an exception group of that app; empty: there may be none
}

// FollowLinks follows every link of an alert and holds that the page says what
// the link promised: the live page shows the app, the page of exceptions its
// groups, the runbook is about the alert, and the page of silences makes one for
// this alert, once asked to. That silence is ended at once.
func FollowLinks(t testing.TB, u *Up, told Told, p Promise) {
	t.Helper()
	name := told.Labels["alertname"]
	follow := func(link string, says ...string) string {
		t.Helper()
		path, ok := strings.CutPrefix(link, u.URL)
		if !ok {
			t.Errorf("%s: a link leads elsewhere: %q", name, link)
			return ""
		}
		code, body, err := u.Get(path)
		if err != nil || code != http.StatusOK {
			t.Errorf("%s: %s: %d, %v: %.200s", name, link, code, err, body)
			return ""
		}
		text := html.UnescapeString(body)
		for _, s := range says {
			if !strings.Contains(text, s) {
				t.Errorf("%s: %s does not say %q", name, link, s)
			}
		}
		return text
	}
	follow(told.GeneratorURL)
	follow(told.Annotations["dashboard_url"], p.App)
	follow(told.Annotations["runbook_url"], "<h1>"+name)
	if link := told.Annotations["exceptions_url"]; link != "" {
		follow(link, p.App, p.Group)
	} else if p.Group != "" {
		t.Errorf("%s: there is no link to the exceptions", name)
	}
	page := follow(told.Annotations["silence_url"], fmt.Sprintf("alertname=%q", name))
	if err := silence(u, told, page); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

var matcherInput = regexp.MustCompile(`<input type="hidden" name="matcher" value="(.*?)">\n?`)

// silence does what a person does on the page: adds a name and a reason, and
// presses the button. Then it presses the one that takes it back.
func silence(u *Up, told Told, page string) error {
	form := url.Values{"duration": {"30m"}, "author": {"test"}, "comment": {"links of " + told.Fingerprint}}
	for _, m := range matcherInput.FindAllStringSubmatch(page, -1) {
		form.Add("matcher", m[1])
	}
	find := func() (*Silence, error) {
		all, err := u.Silences()
		for i, s := range all {
			if s.Comment == form.Get("comment") && s.Status.State == "active" {
				return &all[i], err
			}
		}
		return nil, err
	}
	if s, err := find(); err != nil || s != nil {
		return fmt.Errorf("there is a silence before anybody confirmed it: %v, %w", s, err)
	}
	if err := submit(u, "/silence", form); err != nil {
		return err
	}
	s, err := find()
	if err != nil || s == nil {
		return fmt.Errorf("the page of silences made none: %w", err)
	}
	for _, m := range s.Matchers {
		if m.IsRegex || !m.IsEqual || told.Labels[m.Name] != m.Value {
			return fmt.Errorf("the silence does not match the alert: %+v, %v", m, told.Labels)
		}
	}
	if len(s.Matchers) == 0 {
		return fmt.Errorf("the silence matches everything")
	}
	if err := submit(u, "/silence/expire", url.Values{"id": {s.ID}}); err != nil {
		return err
	}
	if s, err := find(); err != nil || s != nil {
		return fmt.Errorf("the silence was not taken back: %v, %w", s, err)
	}
	return nil
}

// submit sends a form and follows where that leads.
func submit(u *Up, path string, form url.Values) error {
	res, err := u.Client.PostForm(u.URL+path, form)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, bodyLimit))
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s, %w: %.300s", path, res.Status, err, body)
	}
	return nil
}
