package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	amconfig "github.com/prometheus/alertmanager/config"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
	"github.com/pm25/pm25/rules/routing"
)

// clock is the time, and what a test has it ahead.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time       { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

// stack is Alertmanager, by a configuration that package routing wrote, and the
// bridge.
type stack struct {
	*rig
	clock        *clock
	alertmanager *alertmanager.Server
	metrics      *prometheus.Registry // Alertmanager's
}

func newStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{clock: &clock{}, metrics: prometheus.NewRegistry()}
	s.rig = newRig(t, func(o *Options) { o.Now = s.clock.now })
	for _, r := range s.robots {
		r.Now = s.clock.now
	}
	web := httptest.NewServer(s.bridge.Handler())
	t.Cleanup(web.Close)
	var owners routing.Owners
	for _, kind := range robot.Kinds() { // each robot has the apps that are named after it
		owners = append(owners, routing.Owner{Team: string(kind), App: string(kind) + "*", Receivers: []string{string(kind)}})
	}
	s.receivers.Default = []string{"wecom"}
	text, err := routing.Alertmanager(s.receivers, owners, routing.Options{BridgeURL: web.URL})
	if err != nil {
		t.Fatal(err)
	}
	conf, err := alertmanager.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	hurry(conf.Route)
	external, _ := url.Parse("http://pm25.example/alertmanager")
	s.alertmanager, err = alertmanager.New(alertmanager.Options{
		Dir: t.TempDir(), ExternalURL: external, Registry: s.metrics, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}, conf)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.alertmanager.Close(context.Background()) })
	return s
}

// hurry lets what takes seconds to minutes take parts of a second.
func hurry(r *amconfig.Route) {
	if r == nil {
		return
	}
	wait, interval := model.Duration(20*time.Millisecond), model.Duration(300*time.Millisecond)
	r.GroupWait, r.GroupInterval = &wait, &interval
	for _, child := range r.Routes {
		hurry(child)
	}
}

// raise gives Alertmanager alerts.
func (s *stack) raise(t *testing.T, alerts ...alert) {
	t.Helper()
	type wire struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		StartsAt    time.Time         `json:"startsAt"`
		EndsAt      time.Time         `json:"endsAt"`
	}
	list := make([]wire, len(alerts))
	for i, a := range alerts {
		list[i] = wire{a.Labels, a.Annotations, a.StartsAt, a.EndsAt}
		if a.EndsAt.IsZero() {
			list[i].EndsAt = time.Now().Add(time.Hour)
		}
	}
	body, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/v2/alerts", bytes.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.alertmanager.Handler().ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
}

// count adds up the series of a metric of Alertmanager's.
func (s *stack) count(t *testing.T, name string) (sum float64) {
	t.Helper()
	families, err := s.metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.Metric {
			if f.GetName() == name {
				sum += m.GetCounter().GetValue()
			}
		}
	}
	return sum
}

// What a robot does not take is seen in Alertmanager's metrics and in ours, and
// told in the end.
func TestAlertmanagerTriesAgain(t *testing.T) {
	s := newStack(t)
	const attempts, failed = "alertmanager_notification_requests_failed_total", "alertmanager_notifications_failed_total"
	for i, c := range []struct {
		kind   robot.Kind
		answer robottest.Answer
		reason string
		metric string // of Alertmanager, that rises
	}{
		{robot.DingTalk, robottest.Answer{Code: 130101, Text: "send too fast"}, catalog.NotifyRateLimited, attempts},
		{robot.DingTalk, robottest.Answer{Status: 502, Body: "x"}, catalog.NotifyServer, attempts},
		{robot.DingTalk, robottest.Answer{Drop: true}, catalog.NotifyUnreachable, attempts},
		{robot.DingTalk, robottest.Answer{Code: 310000, Text: "sign not match"}, catalog.NotifySignature, failed},
		{robot.Feishu, robottest.Answer{Code: 11232, Text: "frequency limited"}, catalog.NotifyRateLimited, attempts},
		{robot.Feishu, robottest.Answer{Code: 19024, Text: "Key Words Not Found"}, catalog.NotifyKeyword, failed},
		{robot.WeCom, robottest.Answer{Status: 429}, catalog.NotifyRateLimited, attempts},
		{robot.WeCom, robottest.Answer{Code: 93000, Text: "invalid webhook url"}, catalog.NotifyToken, failed},
	} {
		t.Run(fmt.Sprintf("%s %s", c.kind, c.reason), func(t *testing.T) {
			r := s.robots[c.kind]
			before, told, refused := s.count(t, c.metric), len(r.Taken()), s.failures(c.kind, c.reason)
			r.Script(c.answer)
			app := fmt.Sprintf("%s-%d", c.kind, i)
			s.raise(t, of("PM2CrashLoop", "critical", app, "web-1"))
			wait(t, r, "a refusal", func() bool { return s.failures(c.kind, c.reason) > refused })
			s.clock.pass(15 * time.Minute) // over all pauses, and all room is there again
			all := taken(t, r, told+1)
			if last := all[len(all)-1]; !strings.Contains(last.Text, "in trouble") || !strings.Contains(last.Title+last.Text, app) {
				t.Errorf("told %s", last.Text)
			}
			if after := s.count(t, c.metric); after <= before {
				t.Errorf("%s stays at %v", c.metric, after)
			}
		})
	}
	for _, kind := range robot.Kinds() {
		t.Logf("%s: %v delivered, %v rejected, %v throttled, %v unreachable", kind, s.result(kind, catalog.NotifyDelivered)+s.result(kind, catalog.NotifyPlain),
			s.result(kind, catalog.NotifyRejected), s.result(kind, catalog.NotifyThrottled), s.result(kind, catalog.NotifyUndelivered))
	}
	t.Logf("Alertmanager: %v attempts failed, %v notifications failed", s.count(t, attempts), s.count(t, failed))
}

// wait waits for something that happens with a message to the robot.
func wait(t *testing.T, r *robottest.Robot, what string, is func() bool) {
	t.Helper()
	deadline := time.After(2 * time.Minute)
	for !is() {
		select {
		case <-r.Changed():
		case <-time.After(10 * time.Millisecond): // a dropped connection changes nothing there
		case <-deadline:
			t.Fatalf("there is no %s", what)
		}
	}
}

// The end of an alert is told too.
func TestAlertmanagerResolves(t *testing.T) {
	s := newStack(t)
	a := of("PM2CrashLoop", "critical", "feishu-app", "web-1")
	s.raise(t, a)
	if first := taken(t, s.robots[robot.Feishu], 1)[0]; !strings.Contains(first.Title, "[FIRING:1] PM2CrashLoop feishu-app · web-1") || len(first.Buttons) != 4 {
		t.Errorf("%+v", first)
	}
	a.EndsAt = time.Now()
	s.raise(t, a)
	if last := taken(t, s.robots[robot.Feishu], 2)[1]; !strings.Contains(last.Title, "[RESOLVED:1] PM2CrashLoop feishu-app · web-1") || !strings.Contains(last.Text, "resolved at ") {
		t.Errorf("%+v", last)
	}
}

// Alerts of many apps at once, each of a group of its own, come in few messages.
func TestAlertmanagerDigests(t *testing.T) {
	s := newStack(t)
	const alerts = 60
	var all []alert
	for i := range alerts {
		all = append(all, of("PM2CrashLoop", "critical", fmt.Sprintf("dingtalk-app-%d", i), "web-1"))
	}
	s.raise(t, all...)
	r := s.robots[robot.DingTalk]
	wait(t, r, "message of all", func() bool {
		return s.result(robot.DingTalk, catalog.NotifyDelivered)+s.result(robot.DingTalk, catalog.NotifyDigested) >= 1 && named(r) == alerts
	})
	if n := len(r.Taken()); n > 18 {
		t.Errorf("%d messages", n)
	}
	t.Logf("%d alerts in %d messages", alerts, len(r.Taken()))
}

// named is how many apps were told by name.
func named(r *robottest.Robot) int {
	names := map[string]bool{}
	for _, m := range r.Taken() {
		for _, name := range appName.FindAllString(m.Text, -1) {
			names[name] = true
		}
	}
	return len(names)
}
