package pages

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/alertmanager"
)

func activeSilences(t *testing.T, am *alertmanager.Server) []alertmanager.Silence {
	t.Helper()
	all, err := am.Silences(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out []alertmanager.Silence
	for _, s := range all {
		if s.State != alertmanager.SilenceExpired {
			out = append(out, s)
		}
	}
	return out
}

const crashLoopOfMailer = `/silence?matcher=alertname%3D%22PM2CrashLoop%22&matcher=app%3D%22mailer%22&duration=8h`

func TestSilence(t *testing.T) {
	w := newWorld(t)
	w.now = time.Now()
	am := newAlertmanager(t)
	tell(t, am, demoAlerts)
	p := newPages(t, w, am)

	page := get(t, p, crashLoopOfMailer).Body.String()
	wantText(t, page, `alertname="PM2CrashLoop"`, `app="mailer"`, "Of the alerts that fire now, it silences 1: PM2CrashLoop mailer on web-1 is in a crash loop")
	wantNot(t, page, "legacy-sync")
	if !strings.Contains(page, `value="8h" checked`) {
		t.Error("the duration of the link is not chosen")
	}
	if got := activeSilences(t, am); len(got) != 0 {
		t.Fatalf("looking has made a silence: %+v", got)
	}

	form := url.Values{"matcher": {`alertname="PM2CrashLoop"`, `app="mailer"`}, "duration": {"2h"}, "other": {"45m"}, "author": {"operator"}, "comment": {"we know"}}
	made := post(t, p, "/silence", form)
	if made.Code != http.StatusSeeOther {
		t.Fatalf("POST /silence = %d %s", made.Code, made.Body)
	}
	got := activeSilences(t, am)
	if len(got) != 1 || len(got[0].Matchers) != 2 || got[0].CreatedBy != "operator" || got[0].Comment != "we know" {
		t.Fatalf("silences = %+v, want the one of the form", got)
	}
	if length := got[0].EndsAt.Sub(got[0].StartsAt).Round(time.Minute); length != 45*time.Minute {
		t.Errorf("it lasts %s, want 45m", length)
	}
	page = get(t, p, made.Header().Get("Location")).Body.String()
	wantText(t, page, "The silence is in effect: until", "Undo", `alertname="PM2CrashLoop", app="mailer"`, "operator: we know")

	id := regexp.MustCompile(`name="id" value="([^"]*)"`).FindStringSubmatch(page)[1]
	ended := post(t, p, "/silence/expire", url.Values{"id": {id}})
	if ended.Code != http.StatusSeeOther || len(activeSilences(t, am)) != 0 {
		t.Fatalf("undo = %d %s; silences = %+v", ended.Code, ended.Body, activeSilences(t, am))
	}
	wantText(t, get(t, p, ended.Header().Get("Location")).Body.String(), "The silence has ended.", "None.")
	wantText(t, get(t, p, made.Header().Get("Location")).Body.String(), "That silence has ended.")
}

func TestSilenceRefuses(t *testing.T) {
	am := newAlertmanager(t)
	p := newPages(t, newWorld(t), am)
	good := url.Values{"matcher": {`app="x"`}, "duration": {"2h"}, "author": {"operator"}, "comment": {"why"}}
	tests := []struct {
		name, field, value, want string
	}{
		{"nothing", "matcher", "", "These conditions match every alert"},
		{"no text", "matcher", " ", "These conditions match every alert"},
		{"empty value", "matcher", `app=""`, "These conditions match every alert"},
		{"everything", "matcher", `app=~".*"`, "These conditions match every alert"},
		{"not one", "matcher", `app!="x"`, "These conditions match every alert"},
		{"no operator", "matcher", `app`, "The conditions can not be read"},
		{"bad expression", "matcher", `app=~"("`, "The conditions can not be read"},
		{"no duration", "duration", "soon", `"soon" is no duration`},
		{"zero", "duration", "0s", `"0s" is no duration`},
		{"forever", "duration", "2y", `"2y" is no duration`},
		{"nobody", "author", "", "Say who you are and why"},
		{"no reason", "comment", " ", "Say who you are and why"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			form := url.Values{}
			for name, v := range good {
				form[name] = v
			}
			form.Set(test.field, test.value)
			w := post(t, p, "/silence", form)
			if w.Code != http.StatusBadRequest {
				t.Errorf("POST = %d, want 400", w.Code)
			}
			wantText(t, w.Body.String(), test.want)
			if test.field == "matcher" {
				w := get(t, p, "/silence?"+url.Values{"matcher": {test.value}}.Encode())
				if w.Code != http.StatusBadRequest {
					t.Errorf("GET = %d, want 400", w.Code)
				}
				wantText(t, w.Body.String(), test.want)
			}
		})
	}
	form := url.Values{"duration": {"2h"}, "author": {"operator"}, "comment": {"why"}}
	if w := post(t, p, "/silence", form); w.Code != http.StatusBadRequest {
		t.Errorf("no matcher: %d, want 400", w.Code)
	}
	if w := post(t, p, "/silence", url.Values{"matcher": good["matcher"], "duration": good["duration"], "author": good["author"], "comment": good["comment"], "more": {strings.Repeat("a", maxForm)}}); w.Code != http.StatusBadRequest {
		t.Errorf("a form that is too large: %d, want 400", w.Code)
	}
	for _, id := range []string{"", "../x", "00000000-0000-0000-0000-000000000000"} {
		if w := post(t, p, "/silence/expire", url.Values{"id": {id}}); w.Code != http.StatusBadRequest {
			t.Errorf("ending silence %q: %d, want 400", id, w.Code)
		}
	}
	if got := activeSilences(t, am); len(got) != 0 {
		t.Errorf("silences = %+v, want none", got)
	}
}

// What Alertmanager silences is what the page says it would.
func TestCovers(t *testing.T) {
	labels := map[string]string{"alertname": "A", "app": "api"}
	for text, want := range map[string]bool{
		`app="api"`: true, `app="ap"`: false, `app=~"ap."`: true, `app=~"p"`: false, `app!="web"`: true, `app!~"a.*"`: false,
		`host=""`: true, `host!=""`: false, `app="api",alertname="B"`: false, `app="a.i"`: false,
	} {
		m, err := alertmanager.ParseMatchers([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		if got := covers(m, labels); got != want {
			t.Errorf("%s covers = %t, want %t", text, got, want)
		}
	}
}

func TestSilenceFormKnowsTheReader(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	r := httptest.NewRequest(http.MethodGet, crashLoopOfMailer, nil)
	r.SetBasicAuth("operator", "secret")
	w := httptest.NewRecorder()
	p.Handler().ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), `name="author" value="operator"`) {
		t.Error("the form does not take the name that was logged in with")
	}
	wantNot(t, w.Body.String(), "secret")
}

func TestAlertList(t *testing.T) {
	am := newAlertmanager(t)
	p := newPages(t, newWorld(t), am)
	wantText(t, get(t, p, "/alertmanager/").Body.String(), "No alert is firing.")
	tell(t, am, demoAlerts)
	post(t, p, "/silence", url.Values{"matcher": {`app="mailer"`}, "duration": {"2h"}, "author": {"operator"}, "comment": {"known"}})
	page := get(t, p, "/alertmanager/").Body.String()
	wantText(t, page, "2 firing, 1 of them silenced or inhibited", "Receiver (nobody)",
		"PM2ProcessErrored critical for", "PM2CrashLoop critical silenced for", "Silences in effect app=\"mailer\" until")
	if w := get(t, p, "/alertmanager"); w.Code != http.StatusOK {
		t.Errorf("/alertmanager = %d", w.Code)
	}
}
