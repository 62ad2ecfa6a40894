package pages

import (
	"errors"
	"html"
	"log/slog"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	tag    = regexp.MustCompile(`<[^>]*>`)
	rowTag = regexp.MustCompile(`(?s)<tr role="row" class="([^"]*)">(.*?)</tr>`)
)

// text is what one reads of a piece of HTML.
func text(s string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(s, " "))), " ")
}

// rows are the lines of the table: class, then what one reads.
func rows(page string) []string {
	var out []string
	for _, m := range rowTag.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.TrimSpace(m[1])+": "+text(m[2]))
	}
	return out
}

func wantText(t *testing.T, page string, parts ...string) {
	t.Helper()
	got := text(page)
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("the page does not say %q; it says\n%s", part, got)
		}
	}
}

func wantNot(t *testing.T, page string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if strings.Contains(page, part) {
			i := strings.Index(page, part)
			t.Errorf("the page holds %q: …%s…", part, page[max(0, i-100):min(len(page), i+100)])
		}
	}
}

func TestLive(t *testing.T) {
	w := newWorld(t, demo())
	w.alerts = demoFiring()
	am := newAlertmanager(t)
	tell(t, am, demoAlerts)
	p := newPages(t, w.load(70*time.Minute), am)
	page := get(t, p, "/").Body.String()
	want := []string{
		"bad: legacy-sync 8 fork errored 15 crash 15 gave up 1 0.1.0",
		"bad: mailer 4 fork crash loop 14 crash 14 9s 42% 41 MiB 1.0.3",
		"warn: images 7 fork online 1 memory limit 1 12m 5% 488 MiB 0.9.2",
		": shop-api 0–3 cluster ×4 online 4 reload 4 3d 3h 44% 384 MiB 2.4.1",
		": worker 5 fork online 0 1d 2h 31% 212 MiB +85 MiB 2.4.1",
		"off: nightly-report 6 fork stopped 0 clean exit 1 1.0.0",
	}
	if diff := cmp.Diff(want, rows(page)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantText(t, page, "Hosts 1 Apps 6 Processes online 7 /9 Restarts, last hour 34 Alerts firing 2",
		"PM2CrashLoop critical for 4m mailer on web-1 is in a crash loop Expression Runbook Silence",
		"web-1 load 1.4/8 · memory 44% · disk 38%")
	for _, link := range []string{
		`href="/graph?g0.expr=sum+by+`, `href="/runbooks/PM2CrashLoop"`,
		"matcher=" + url.QueryEscape(`alertname="PM2ProcessErrored"`), "matcher=" + url.QueryEscape(`pm_id="8"`),
	} {
		if !strings.Contains(html.UnescapeString(page), link) {
			t.Errorf("no link %s in\n%s", link, page)
		}
	}
}

func TestLiveOpensGroups(t *testing.T) {
	p := newPages(t, newWorld(t, demo()).load(10*time.Minute), newAlertmanager(t))
	page := get(t, p, "/?q=shop").Body.String()
	link := html.UnescapeString(regexp.MustCompile(`class="toggle" id="[^"]*" href="([^"]*)"`).FindStringSubmatch(page)[1])
	opened := get(t, p, link).Body.String()
	want := []string{
		": shop-api 0–3 cluster ×4 online 4 reload 4 3d 3h 44% 384 MiB 2.4.1",
		"worker: shop-api 0 cluster online 1 3d 3h 11% 96 MiB 2.4.1",
		"worker: shop-api 1 cluster online 1 3d 3h 11% 96 MiB 2.4.1",
		"worker: shop-api 2 cluster online 1 3d 3h 11% 96 MiB 2.4.1",
		"worker: shop-api 3 cluster online 1 3d 3h 11% 96 MiB 2.4.1",
	}
	if diff := cmp.Diff(want, rows(opened)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if !strings.Contains(opened, `href="/?q=shop" aria-expanded="true"`) {
		t.Errorf("no link that closes the group in\n%s", opened)
	}
}

func TestLiveShowsWhatIsGone(t *testing.T) {
	lost, half := demo(), demo()
	lost.name, lost.gone, lost.apps = "web-2", 4*time.Minute, lost.apps[2:4]
	half.name, half.daemons, half.down = "web-3", []string{"deploy", "root"}, "root"
	half.apps = []fakeApp{{name: "sync", ids: []int{0}, age: 2 * time.Hour}, {daemon: "root", name: "mon", ids: []int{1}, age: time.Hour, memory: 60 << 20}}
	fresh := &fakeHost{name: "web-4"}
	w := newWorld(t, &fakeHost{name: "web-1", daemons: []string{"deploy"}, apps: []fakeApp{{name: "api", ids: []int{0}, age: time.Hour}}}, lost, half, fresh)
	page := get(t, newPages(t, w.load(20*time.Minute), newAlertmanager(t)), "/").Body.String()
	want := []string{
		"gone: mon root web-3 1 fork online last seen 3m ago 0 57m 0% 60 MiB",
		"gone: worker deploy web-2 5 fork online last seen 4m ago 0 1d 1h 31% 212 MiB +85 MiB 2.4.1",
		": api deploy web-1 0 fork online 0 1h 0%",
		": sync deploy web-3 0 fork online 0 2h 0%",
		"gone: nightly-report deploy web-2 6 fork stopped last seen 4m ago 0 1.0.0",
	}
	if diff := cmp.Diff(want, rows(page)); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	wantText(t, page, "Hosts 3 /4", "Processes online 2 /5", "web-2 last seen 4m ago",
		"PM2 root does not answer, last seen 3m ago", "web-4 load 1.4/8 · memory 44% · disk 38% no PM2 found here")
}

// A host that was there yesterday, or whose address is wrong, is not silently
// left out.
func TestLiveShowsHostsNeverSeen(t *testing.T) {
	w := newWorld(t, &fakeHost{name: "typo", gone: time.Hour})
	page := get(t, newPages(t, w.load(10*time.Minute), newAlertmanager(t)), "/").Body.String()
	wantText(t, page, "typo does not answer; never seen in the last 24 hours", "Hosts 0 /1")
}

// What is gone stays for a day, and is told from when it was last scraped, not
// from when somebody last looked.
func TestLiveAcrossTime(t *testing.T) {
	h := demo()
	h.apps = h.apps[2:3]
	w := newWorld(t, h)
	h.gone = 30 * time.Minute
	w.load(50 * time.Minute)
	end := w.now
	p := newPages(t, w, newAlertmanager(t))

	w.now = end.Add(-time.Hour)
	if page := get(t, p, "/").Body.String(); len(rows(page)) != 0 {
		t.Errorf("it is there before it was: %q", rows(page))
	}
	w.now = end // it came and went while nobody looked
	wantText(t, get(t, p, "/").Body.String(), "last seen 30m ago")
	p = newPages(t, w, newAlertmanager(t))
	w.now = end.Add(-40 * time.Minute) // it was there
	wantText(t, get(t, p, "/").Body.String(), "Hosts 1 Apps 1")
	w.now = end // nobody looked for forty minutes
	wantText(t, get(t, p, "/").Body.String(), "last seen 30m ago")
	w.now, h.gone = end.Add(-30*time.Minute+20*time.Hour), 20*time.Hour
	w.load(time.Minute)
	wantText(t, get(t, p, "/").Body.String(), "last seen 20h ago")
	w.now = w.now.Add(10 * time.Minute)
	if page := get(t, p, "/").Body.String(); len(rows(page)) != 0 {
		t.Errorf("it is no target any more, and still there: %q", rows(page))
	}
	w.now, h.gone = end.Add(-30*time.Minute+25*time.Hour), 25*time.Hour
	w.load(time.Minute)
	if page := get(t, p, "/").Body.String(); len(rows(page)) != 0 {
		t.Errorf("after a day it is still there: %q", rows(page))
	}
}

// People count in whole numbers, those of apps that are young, too.
func TestLiveCounts(t *testing.T) {
	young := fakeApp{name: "young", ids: []int{0}, age: time.Minute, born: 5 * time.Minute, before: 3, restarts: map[int]float64{0: 2}, exits: map[string]float64{"operator": 2}}
	h := &fakeHost{name: "web-1", daemons: []string{"deploy"}, apps: []fakeApp{young}}
	for span, want := range map[time.Duration]string{
		70 * time.Minute: "bad: young 0 fork crash loop 5 crash 3 gave up 3 memory limit 3 OOM kill 3 signal 3 clean exit 3 cron 3 operator 5 reload 3 unknown 3 file watch 3 1m 0%",
		6 * time.Minute:  ": young 0 fork online 2 operator 2 1m 0%", // who knows when the three were
	} {
		page := get(t, newPages(t, newWorld(t, h).load(span), newAlertmanager(t)), "/").Body.String()
		if diff := cmp.Diff([]string{want}, rows(page)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", span, diff)
		}
	}
}

// Another agent of the host may take over its PM2: then nothing is gone.
func TestLiveAfterAHandover(t *testing.T) {
	h := demo()
	h.apps = h.apps[2:3]
	w := newWorld(t, h)
	w.load(10 * time.Minute)
	p := newPages(t, w, newAlertmanager(t))
	get(t, p, "/")
	w.now, h.gone = w.now.Add(2*time.Minute), 50*time.Second
	again := *h
	again.gone, again.instance = 0, "web-1/deploy"
	w.hosts = append(w.hosts, &again)
	w.load(time.Minute)
	if got := rows(get(t, p, "/").Body.String()); len(got) != 1 || !strings.HasPrefix(got[0], ": worker 5 fork online") {
		t.Errorf("rows = %q, want one that is online", got)
	}
}

// A home that was named and has no PM2 is not a host without any.
func TestLiveShowsDaemonsNeverSeen(t *testing.T) {
	w := newWorld(t, &fakeHost{name: "web-1", daemons: []string{"deploy"}, down: "deploy"})
	w.load(2 * time.Minute)
	page := get(t, newPages(t, w, newAlertmanager(t)), "/").Body.String()
	wantText(t, page, "PM2 deploy does not answer")
	if strings.Contains(page, "no PM2 found here") || !strings.Contains(page, `<li class="bad">`) {
		t.Error("the host is called well")
	}
}

func TestLiveComesBack(t *testing.T) {
	h := demo()
	h.apps = h.apps[2:3]
	w := newWorld(t, h)
	h.gone = 10 * time.Minute
	w.load(20 * time.Minute)
	p := newPages(t, w, newAlertmanager(t))
	if got := rows(get(t, p, "/").Body.String()); len(got) != 1 || !strings.HasPrefix(got[0], "gone: worker") {
		t.Fatalf("rows = %q, want one that is gone", got)
	}
	h.gone = 0
	w.now = w.now.Add(2 * time.Minute)
	w.load(time.Minute)
	if got := rows(get(t, p, "/").Body.String()); len(got) != 1 || !strings.HasPrefix(got[0], ": worker 5 fork online 0") {
		t.Errorf("rows = %q, want one that is online", got)
	}
}

func TestLiveFilter(t *testing.T) {
	far := demo()
	far.name = "db-1"
	p := newPages(t, newWorld(t, demo(), far).load(10*time.Minute), newAlertmanager(t))
	for address, want := range map[string]int{
		"/": 9, "/?q=MAILER": 2, "/?q=mailer+db-1": 1, "/?host=db-1": 6, "/?host=db-1&q=errored": 1,
		"/?q=crash+loop": 2, "/?lang=zh&q=%E5%B7%B2%E5%81%9C%E6%AD%A2": 1, "/?lang=zh&q=stopped": 1, "/?q=nothing": 0, "/?host=nowhere": 0,
	} {
		page := get(t, p, address).Body.String()
		if got := rows(page); len(got) != want {
			t.Errorf("%s: %d rows, want %d: %q", address, len(got), want, got)
		}
	}
	page := get(t, p, "/?q=nothing").Body.String()
	wantText(t, page, "Nothing matches “nothing”.", "0 of 18 processes", "Show all")
	page = get(t, p, "/?q=%22%3E%3Cscript%3E&host=db-1").Body.String()
	wantNot(t, page, "<script>", `"><`+"script")
	if !strings.Contains(page, `name="host" value="db-1"`) {
		t.Error("the filter's form forgets the host")
	}
}

func TestLiveInChinese(t *testing.T) {
	w := newWorld(t, demo())
	w.alerts = demoFiring()
	am := newAlertmanager(t)
	tell(t, am, demoAlerts)
	page := get(t, newPages(t, w.load(10*time.Minute), am), "/?lang=zh").Body.String()
	wantText(t, page, "主机 1 应用 6 在线进程 7 /9", "PM2CrashLoop 严重 已持续 4分钟 web-1 上的 mailer 反复崩溃", "mailer 4 fork 反复崩溃 14 崩溃 14 9秒")
	if !strings.Contains(page, `<html lang="zh-CN">`) {
		t.Error("the page does not say that it is Chinese")
	}
}

// Names of apps and labels of alerts are written by others.
func TestLiveEscapes(t *testing.T) {
	const evil = `"><script>alert(1)</script>'{{.}}`
	h := &fakeHost{name: evil, daemons: []string{evil}, apps: []fakeApp{{namespace: evil, name: evil, mode: evil, version: evil, ids: []int{0, 1}, age: time.Hour}}}
	w := newWorld(t, h)
	w.alerts = []map[string]string{{"alertname": evil, "severity": evil, "host": evil, "app": evil}}
	am := newAlertmanager(t)
	tell(t, am, `[{"labels":{"alertname":"X","severity":"x\" onclick=\"y"},"generatorURL":"http://e.example/g?g0.expr=%3Cscript%3E",
	  "annotations":{"summary":"<script>alert(2)</script>","runbook_url":"javascript:alert(3)"}},
	 {"labels":{"alertname":"Y"},"annotations":{"runbook_url":"//e.example/x"}}]`)
	p := newPages(t, w.load(10*time.Minute), am)
	for _, address := range []string{"/", "/?lang=zh&host=" + url.QueryEscape(evil) + "&q=" + url.QueryEscape("<script>") + "&open=" + url.QueryEscape(evil), "/alertmanager/", "/silence?matcher=" + url.QueryEscape(`app="<script>"`)} {
		page := get(t, p, address).Body.String()
		wantNot(t, page, "<script>", `="javascript:`, `" onclick=`, `href="//`)
	}
	if got := rows(get(t, p, "/").Body.String()); len(got) != 1 || !strings.Contains(got[0], evil) {
		t.Errorf("rows = %q, want the name as it is", got)
	}
}

func TestLiveSilenced(t *testing.T) {
	w := newWorld(t, demo())
	w.alerts = demoFiring()
	am := newAlertmanager(t)
	tell(t, am, demoAlerts)
	p := newPages(t, w.load(10*time.Minute), am)
	wantText(t, get(t, p, "/").Body.String(), "Alerts firing 2")
	made := post(t, p, "/silence", url.Values{"matcher": {`alertname="PM2CrashLoop"`}, "duration": {"2h"}, "author": {"operator"}, "comment": {"known"}})
	if made.Code != 303 {
		t.Fatalf("silencing: %d %s", made.Code, made.Body)
	}
	page := get(t, p, "/").Body.String()
	wantText(t, page, "Alerts firing 1 1 silenced or inhibited", "(1) Live", "PM2CrashLoop critical silenced for 4m")
	if strings.Index(page, "<b>PM2CrashLoop") < strings.Index(page, "<b>PM2ProcessErrored") {
		t.Error("the silenced alert stands above the loud one")
	}
}

func TestLiveEmpty(t *testing.T) {
	w := newWorld(t)
	p := newPages(t, w, newAlertmanager(t))
	wantText(t, get(t, p, "/").Body.String(), "No PM2 process is known yet.", "--pm2.home", "--targets")
}

// A question that fails is told; what is known is not called gone.
func TestLiveWhenQueriesFail(t *testing.T) {
	w := newWorld(t, demo())
	p := newPages(t, w.load(10*time.Minute), newAlertmanager(t))
	broken := errors.New("the disk is on <fire>")
	w.fail = func(expr string) error {
		if strings.Contains(expr, "resident_memory") {
			return broken
		}
		return nil
	}
	page := get(t, p, "/").Body.String()
	wantText(t, page, "Some numbers are missing: the disk is on <fire>")
	if got := rows(page); len(got) != 6 {
		t.Errorf("%d rows, want 6", len(got))
	}
	w.fail = func(string) error { return broken }
	w.now = w.now.Add(time.Minute)
	page = get(t, p, "/").Body.String()
	if got := rows(page); len(got) != 6 || strings.Contains(page, "last seen") {
		t.Errorf("rows = %q, want those known last", got)
	}
	fresh := get(t, newPages(t, w, newAlertmanager(t)), "/").Body.String()
	wantText(t, fresh, "Some numbers are missing")
	wantNot(t, fresh, "No PM2 process is known")
}

// However many look, Prometheus is asked once in a while.
func TestLiveAsksOnce(t *testing.T) {
	lost := demo()
	lost.name, lost.gone = "web-2", 4*time.Minute
	w := newWorld(t, demo(), lost)
	p := newPages(t, w.load(10*time.Minute), newAlertmanager(t))
	get(t, p, "/")
	first := w.queries
	done := make(chan struct{})
	for range 20 {
		go func() { get(t, p, "/"); done <- struct{}{} }()
	}
	for range 20 {
		<-done
	}
	if w.queries != first {
		t.Errorf("%d more questions for 20 readers at once, want none", w.queries-first)
	}
	w.now = w.now.Add(snapshotEvery)
	w.past = 0
	get(t, p, "/")
	if w.past != 0 {
		t.Errorf("%d questions for the second time about what is gone, want none", w.past)
	}
	if again := w.queries - first; again == 0 || again >= first {
		t.Errorf("%d questions for the second time after %d for the first, want some, and not those about the past", again, first)
	}
}

func TestLiveIsBounded(t *testing.T) {
	h := &fakeHost{name: "big", daemons: []string{"deploy"}}
	for i := range maxRows + 100 {
		h.apps = append(h.apps, fakeApp{name: "app-" + strings.Repeat("x", i%7), namespace: strings.Repeat("n", i/7+1), ids: []int{i}, state: "errored"})
	}
	w := newWorld(t, h)
	for i := range maxAlerts + 5 {
		w.alerts = append(w.alerts, map[string]string{"alertname": "A", "n": strings.Repeat("i", i+1)})
	}
	page := get(t, newPages(t, w.load(time.Minute), newAlertmanager(t)), "/").Body.String()
	if got := len(rows(page)); got != maxRows {
		t.Errorf("%d rows, want %d", got, maxRows)
	}
	wantText(t, page, "100 more are not shown.", "and 5 more")
}

func TestNotices(t *testing.T) {
	w := newWorld(t)
	p, err := New(Options{
		Metrics: w, Alerts: newAlertmanager(t), Job: "pm2", Logger: slog.New(slog.DiscardHandler), Now: time.Now,
		Notices: func() []Notice {
			return []Notice{{Message: "notice.disk", Args: []any{"60MiB", "/var/lib/pm25"}}, {Message: "said as it is", Warning: true}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{"/", "/silence", "/graph", "/alertmanager/"} {
		wantText(t, get(t, p, address).Body.String(), "The disk is nearly full (60MiB free)", "/var/lib/pm25", "said as it is")
	}
	wantText(t, get(t, p, "/?lang=zh").Body.String(), "磁盘空间不足（剩余 60MiB）")
}

// The watchdog always fires: for machines, not for people.
func TestLiveWithoutWatchdog(t *testing.T) {
	w := newWorld(t, demo())
	watchdog := map[string]string{"alertname": "PM25Watchdog", "severity": "none", "scope": "pm25", "instance": "x"}
	w.alerts = append(demoFiring(), watchdog)
	am := newAlertmanager(t)
	tell(t, am, demoAlerts)
	p := newPages(t, w.load(10*time.Minute), am)
	for _, both := range []bool{false, true} { // Prometheus alone knows it, or Alertmanager too
		if both {
			tell(t, am, `[{"labels":{"alertname":"PM25Watchdog","severity":"none","scope":"pm25","instance":"x"}}]`)
			p.refresh()
		}
		page := get(t, p, "/").Body.String()
		wantText(t, page, "Alerts firing 2")
		wantNot(t, page, "PM25Watchdog")
		list := get(t, p, "/alertmanager/").Body.String()
		wantText(t, list, "2 firing")
		wantNot(t, list, "PM25Watchdog")
	}
}
