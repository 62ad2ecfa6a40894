package pages

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
)

// What was thrown and what ended in the last day is on the live page; what
// somebody wanted is not.
func TestLatest(t *testing.T) {
	exceptions, id := newExceptionPages(t, nil)
	store := exceptions.opts.Exceptions.(interface {
		Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error)
	})
	now := time.Now()
	ended := func(app, reason string, ago time.Duration) *record.Record {
		at := now.Add(-ago)
		return &record.Record{
			V: record.Version, ID: record.NewID(at), At: at.UnixNano(), Kind: record.Exit, Host: "web-2", Daemon: "shop", Namespace: "default", App: app, PMID: 4,
			PID: 100 + len(app), Started: at.Add(-time.Minute).UnixMilli(), Level: record.LevelError, Source: record.FromPM2, Exit: &record.ExitInfo{Reason: reason, Code: 137, Signal: "SIGKILL"},
		}
	}
	if _, _, err := store.Push(t.Context(), "shop", record.Agent{Host: "web-2"}, []*record.Record{
		ended("killed-app", "oom_kill", time.Hour), ended("stopped-app", "operator", time.Hour), ended("yesterdays-app", "crash", 30*time.Hour),
	}); err != nil {
		t.Fatal(err)
	}
	o := newPages(t, newWorld(t), newAlertmanager(t)).opts
	o.Exceptions, o.Changing, o.Who, o.Now = exceptions.opts.Exceptions, exceptions.opts.Changing, exceptions.opts.Who, func() time.Time { return now }
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	w := get(t, p, "/")
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	wantText(t, w.Body.String(), "Exceptions, last 24 hours", "TypeError: x 不是函数", "Last ends that nobody wanted: 1", "killed-app 4 web-2 OOM kill, SIGKILL", "7×")
	wantNot(t, w.Body.String(), "stopped-app", "yesterdays-app")
	wantText(t, get(t, p, "/?lang=zh").Body.String(), "近 24 小时异常", "最近的意外退出：1 次")
	if w := get(t, p, "/exceptions/"+id); w.Code != http.StatusOK {
		t.Errorf("the group's page: %d", w.Code)
	}
}

// The page of a group shows the newest sample, or the one that is asked for.
func TestSamples(t *testing.T) {
	p, id := newExceptionPages(t, nil)
	store := p.opts.Exceptions.(interface {
		Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error)
	})
	samples, err := p.opts.Exceptions.GroupSamples(t.Context(), id, 10)
	if err != nil || len(samples) != 1 {
		t.Fatalf("%v, %v", samples, err)
	}
	newer := *samples[0]
	at := time.Now().Add(time.Second)
	newer.ID, newer.At, newer.Version, newer.Logs = record.NewID(at), at.UnixNano(), "1.2.4", []record.LogLine{{Stream: "out", Text: "the newer one"}}
	if _, _, err := store.Push(t.Context(), "shop", record.Agent{Host: "web-1"}, []*record.Record{&newer}); err != nil {
		t.Fatal(err)
	}
	page := get(t, p, "/exceptions/"+id).Body.String()
	wantText(t, page, "the newer one", "1.2.3 7×", "1.2.4 7×")
	wantNot(t, page, "最后一行")
	page = get(t, p, "/exceptions/"+id+"?sample="+samples[0].ID).Body.String()
	wantText(t, page, "最后一行")
	wantNot(t, page, "the newer one")
}
