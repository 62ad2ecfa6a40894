package alertmanager

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
)

func TestSilencesSurviveAKill(t *testing.T) {
	h := newHook(t)
	first := start(t, t.TempDir(), quick(t, h.URL))
	now := time.Now().UTC().Truncate(time.Second)
	made := map[string]Silence{}
	for _, sil := range []Silence{
		{Matchers: []Matcher{{Name: "n", Value: "a"}}, EndsAt: now.Add(time.Hour), CreatedBy: "me", Comment: "why", State: SilenceActive},
		{Matchers: []Matcher{{Name: "n", Value: "b|c", Regex: true}, {Name: "x", Value: "1", Negative: true}}, StartsAt: now.Add(time.Hour), EndsAt: now.Add(2 * time.Hour), CreatedBy: "me", Comment: "later", State: SilencePending},
		{Matchers: []Matcher{{Name: "n", Value: "d", Regex: true, Negative: true}}, EndsAt: now.Add(time.Hour), CreatedBy: "me", Comment: "over", State: SilenceExpired},
	} {
		id, err := first.AddSilence(t.Context(), sil)
		ok(t, err)
		sil.ID = id
		made[id] = sil
		if sil.State == SilenceExpired {
			ok(t, first.ExpireSilence(t.Context(), id))
		}
	}
	r := start(t, first.killed(t), quick(t, h.URL))
	silences, err := r.Silences(t.Context())
	ok(t, err)
	states := ""
	for _, got := range silences {
		states += got.State + " "
		want := made[got.ID]
		if got.State == SilenceExpired {
			want.EndsAt = got.EndsAt
		}
		if want.StartsAt.IsZero() {
			want.StartsAt = got.StartsAt
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got) %s", diff)
		}
	}
	if states != "active pending expired " {
		t.Errorf("states %s", states)
	}
	r.post(t, alertOf("a", time.Hour))
	r.post(t, alertOf("d", time.Hour))
	h.expect(t, "firing d")
	alerts, err := r.Alerts(t.Context())
	ok(t, err)
	if len(alerts) != 2 {
		t.Fatalf("alerts %+v", alerts)
	}
	for _, a := range alerts {
		if silenced := len(a.SilencedBy) > 0; silenced != (a.Labels["n"] == "a") || len(a.Receivers) != 1 || a.Receivers[0] != "default" || a.Fingerprint == "" {
			t.Errorf("alert %+v", a)
		}
	}
}

// A crash may come between a snapshot and the new journal that follows it.
func TestJournalMergedTwice(t *testing.T) {
	h := newHook(t)
	first := start(t, t.TempDir(), quick(t, h.URL))
	first.post(t, alertOf("a", time.Hour))
	h.expect(t, "firing a")
	until(t, "a journal", func() bool { return journaled(t, first.opts.Dir, "nflog") == 1 })
	id, err := first.AddSilence(t.Context(), Silence{Matchers: []Matcher{{Name: "n", Value: "x"}}, EndsAt: time.Now().Add(time.Hour), CreatedBy: "me", Comment: "why"})
	ok(t, err)
	ok(t, first.ExpireSilence(t.Context(), id))
	dir := first.killed(t)
	for _, j := range first.journals {
		_, err := j.compact()
		ok(t, err)
		file, err := replaceFile(filepath.Join(dir, filepath.Base(j.o.Snapshot)), func(w io.Writer) error { _, err := j.o.State.Snapshot(w); return err })
		ok(t, err)
		ok(t, file.Close())
	}
	again := newHook(t)
	r := start(t, dir, quick(t, again.URL))
	r.post(t, alertOf("a", time.Hour))
	r.passes(t)
	again.expect(t)
	silences, err := r.Silences(t.Context())
	if err != nil || len(silences) != 1 || silences[0].State != SilenceExpired {
		t.Errorf("silences %+v, %v", silences, err)
	}
}

func TestSilenceErrors(t *testing.T) {
	r := start(t, t.TempDir(), quick(t, "http://127.0.0.1:1"))
	end := time.Now().Add(time.Hour)
	for want, sil := range map[string]Silence{
		"matchers":       {EndsAt: end, CreatedBy: "me", Comment: "c"},
		"empty string":   {EndsAt: end, CreatedBy: "me", Comment: "c", Matchers: []Matcher{{Name: "a", Value: ".*", Regex: true}}},
		"end time can't": {StartsAt: epoch, EndsAt: epoch.Add(time.Second), CreatedBy: "me", Comment: "c", Matchers: []Matcher{{Name: "a", Value: "b"}}},
		"regular":        {EndsAt: end, CreatedBy: "me", Comment: "c", Matchers: []Matcher{{Name: "a", Value: "(", Regex: true}}},
		"maximum size":   {EndsAt: end, CreatedBy: "me", Comment: strings.Repeat("x", maxSilenceBytes), Matchers: []Matcher{{Name: "a", Value: "b"}}},
	} {
		_, err := r.AddSilence(t.Context(), sil)
		if err == nil || !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "{}") {
			t.Errorf("%s: %v", want, err)
		}
	}
	if err := r.ExpireSilence(t.Context(), "8e2d1fd1-8e2d-4bd3-9c0f-8e2d1fd18e2d"); !errors.Is(err, ErrNotFound) {
		t.Errorf("ending what is not there: %v", err)
	}
	for _, id := range []string{"", "../silences", "a b", "not-an-id"} {
		if err := r.ExpireSilence(t.Context(), id); err == nil {
			t.Errorf("ending %q: no error", id)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Alerts(ctx); err == nil {
		t.Error("no error of a context that is done")
	}
}

func TestLimits(t *testing.T) {
	r := start(t, t.TempDir(), quick(t, "http://127.0.0.1:1"))
	for _, known := range []bool{true, false} {
		body := bytes.NewReader(append([]byte(`[{"labels":{"a":"`), bytes.Repeat([]byte("x"), maxRequest)...))
		req := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", body)
		if !known {
			req.ContentLength = -1
		}
		req.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		r.Handler().ServeHTTP(w, req)
		if w.Code != http.StatusRequestEntityTooLarge && (known || w.Code != http.StatusBadRequest) {
			t.Errorf("a body too large: %d %s", w.Code, w.Body)
		}
	}
	sil := Silence{Matchers: []Matcher{{Name: "a", Value: "b"}}, EndsAt: time.Now().Add(time.Hour), CreatedBy: "me", Comment: "c"}
	for i := range maxSilences + 1 {
		_, err := r.AddSilence(t.Context(), sil)
		if (err == nil) != (i < maxSilences) {
			t.Fatalf("silence %d: %v", i, err)
		}
	}
}

func TestOtherPaths(t *testing.T) {
	r := start(t, t.TempDir(), quick(t, "http://127.0.0.1:1"))
	for path, want := range map[string]int{
		"/-/healthy": 200, "/-/ready": 200, "/api/v2/status": 200, "/api/v2/receivers": 200, "/api/v2/alerts/groups": 200,
		"/api/v2/none": 404, "/none": 404, "/": 404, "/metrics": 404, "/-/reload": 404, "/debug/pprof/": 404,
	} {
		if code, body := r.request(t, http.MethodGet, path, nil); code != want {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := r.request(t, http.MethodPost, "/-/reload", nil); code == http.StatusOK {
		t.Error("anybody can reload")
	}
}

func TestMatchers(t *testing.T) {
	got, err := ParseMatchers([]string{`alertname="X"`, `app=~"a.*"`, " ", `{a!="b", c!~"d|e"}`, `q="a \"b\" \\ c"`})
	ok(t, err)
	want := []Matcher{
		{Name: "alertname", Value: "X"},
		{Name: "app", Value: "a.*", Regex: true},
		{Name: "a", Value: "b", Negative: true},
		{Name: "c", Value: "d|e", Regex: true, Negative: true},
		{Name: "q", Value: `a "b" \ c`},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got) %s", diff)
	}
	texts := []string{}
	for _, m := range got {
		texts = append(texts, m.String())
	}
	if texts[1] != `app=~"a.*"` || texts[3] != `c!~"d|e"` {
		t.Errorf("texts %q", texts)
	}
	back, err := ParseMatchers(texts)
	ok(t, err)
	if diff := cmp.Diff(want, back); diff != "" {
		t.Errorf("back from %q (-want +got) %s", texts, diff)
	}
	for _, bad := range []string{"app", `app=~"("`, `="x"`} {
		if m, err := ParseMatchers([]string{bad}); err == nil {
			t.Errorf("%s: %v", bad, m)
		}
	}
}

func TestAcceptUTF8(t *testing.T) {
	classic, err := featurecontrol.NewFlags(slog.New(slog.DiscardHandler), featurecontrol.FeatureClassicMode)
	ok(t, err)
	t.Cleanup(func() { compat.InitFromFlags(slog.New(slog.DiscardHandler), classic) })
	h := newHook(t)
	r := start(t, t.TempDir(), quick(t, h.URL))
	a := alertOf("a", time.Hour)
	a.Labels["service.name"] = "x"
	if code, body := r.request(t, http.MethodPost, "/api/v2/alerts", []posted{a}); code != http.StatusBadRequest {
		t.Errorf("without: %d %s", code, body)
	}
	AcceptUTF8(slog.New(slog.DiscardHandler))
	r.post(t, a)
	h.expect(t, "firing a")
	got, err := ParseMatchers([]string{`"service.name"="x"`})
	if want := (Matcher{Name: "service.name", Value: "x"}); err != nil || len(got) != 1 || got[0] != want {
		t.Fatalf("%v, %v", got, err)
	}
	if back, err := ParseMatchers([]string{got[0].String()}); err != nil || !slices.Equal(back, got) {
		t.Errorf("back from %s: %v, %v", got[0], back, err)
	}
}

// What is written by String is read back as it was.
func FuzzMatcher(f *testing.F) {
	f.Add("app", "api|web", true, false)
	f.Add("app", "a \"quoted\"\n\\ text, with {braces} \u00e4\u200b", false, true)
	f.Fuzz(func(t *testing.T, name, value string, regex, negative bool) {
		if !utf8.ValidString(value) { // no label has such a value
			return
		}
		m := Matcher{Name: name, Value: value, Regex: regex, Negative: negative}
		got, err := ParseMatchers([]string{`a="b"`, m.String()})
		if err != nil || len(got) < 2 { // not every name and expression is one
			return
		}
		if got[1].Name == name && got[1] != m {
			t.Errorf("%q becomes %q", m, got[1])
		}
	})
}
