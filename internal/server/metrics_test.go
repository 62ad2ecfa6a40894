package server

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/sessionstore"
)

// TestNewGroupsAreBounded in number, in time and in what their labels hold.
func TestNewGroupsAreBounded(t *testing.T) {
	store := &broken{}
	add := func(state sessionstore.State, first, changed time.Duration, title string) {
		store.groups = append(store.groups, sessionstore.Group{
			ID: fmt.Sprintf("%016x", len(store.groups)), Bucket: "shop", Namespace: "default", App: "api", Title: title, State: state,
			FirstSeen: moment().Add(-first), LastSeen: moment(), Changed: moment().Add(-changed),
		})
	}
	add(sessionstore.StateNew, 61*time.Minute, 0, "too old")
	add(sessionstore.StateRegressed, 100*time.Hour, 61*time.Minute, "regressed long ago")
	add(sessionstore.StateRegressed, 100*time.Hour, time.Minute, "regressed")
	add(sessionstore.StateNew, time.Minute, 0, "line\nline "+strings.Repeat("长", 500))
	for range 500 {
		add(sessionstore.StateNew, time.Minute, 0, "many")
	}
	_, registry := newServer(t, store, Limits{})
	var found int
	for name := range gathered(t, registry) {
		if !strings.HasPrefix(name, catalog.ServerNewExceptionGroup) {
			continue
		}
		found++
		if strings.Contains(name, "long ago") || strings.Contains(name, "too old") || strings.Contains(name, "\n") || strings.Count(name, "长") > maxTitle {
			t.Errorf("series %s", name)
		}
	}
	if found != maxNewGroups {
		t.Errorf("%d series, want %d", found, maxNewGroups)
	}
}

// TestMetricsAreThoseOfTheCatalog, with its labels.
func TestMetricsAreThoseOfTheCatalog(t *testing.T) {
	store := &broken{groups: []sessionstore.Group{{ID: "1", State: sessionstore.StateNew, FirstSeen: moment(), LastSeen: moment()}}}
	s, registry := newServer(t, store, Limits{})
	bad := event("bad")
	bad.App = ""
	push(s, strings.NewReader(string(batchOf(t, bad, event("good")))))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range families {
		m, ok := catalog.Lookup(f.GetName())
		if !ok || m.Help != f.GetHelp() {
			t.Errorf("%s is not in the catalog, or with another help", f.GetName())
			continue
		}
		seen[m.Name] = true
		if got, want := len(f.Metric[0].Label), len(m.Labels); got != want {
			t.Errorf("%s has %d labels, want %d", m.Name, got, want)
		}
	}
	elsewhere := []string{catalog.ServerLocalDropped, "pm25_server_store_failures", "pm25_server_store_records", "pm25_server_quer", "pm25_server_tail"} // package central has them
	for _, m := range catalog.Server().Metrics {
		if !seen[m.Name] && !slices.ContainsFunc(elsewhere, func(p string) bool { return strings.HasPrefix(m.Name, p) }) {
			t.Errorf("%s is not exposed", m.Name)
		}
	}
	if values := gathered(t, registry); values["pm25_server_exception_groups state=new"] != 1 || values["pm25_server_exception_groups state=muted"] != 0 {
		t.Errorf("%v", values)
	}
}

// TestSeriesAreThereFromTheStart, so that a rate has where to begin.
func TestSeriesAreThereFromTheStart(t *testing.T) {
	_, registry := newServer(t, &broken{}, Limits{})
	values := gathered(t, registry)
	for _, series := range []string{
		"pm25_server_push_requests_total code=200", "pm25_server_push_rejected_total reason=full", "pm25_server_records_stored_total bucket=shop",
		"pm25_server_records_duplicate_total bucket=bank", "pm25_server_records_refused_total bucket=shop reason=too_big", "pm25_server_push_bytes_total",
	} {
		if v, ok := values[strings.TrimSpace(series)]; !ok || v != 0 {
			t.Errorf("%s is %v, there: %v", series, v, ok)
		}
	}
}
