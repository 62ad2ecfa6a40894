package server

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/sessionstore"
)

func TestDiscovery(t *testing.T) {
	host := func(name, advertise, scheme string, silent time.Duration) sessionstore.Host {
		return sessionstore.Host{Bucket: "shop", Name: name, Advertise: advertise, Scheme: scheme, LastSeen: moment().Add(-silent)}
	}
	s, _ := newServer(t, &broken{hosts: []sessionstore.Host{
		host("web-1", "10.0.0.5:9209", "", 0), host("web-2", "web-2.example.com:443", "https", 23*time.Hour),
		host("hidden", "", "", 0), host("gone", "10.0.0.6:9209", "", 25*time.Hour),
	}}, Limits{})
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/sd", nil))
	var got []target
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, w.Body)
	}
	want := []target{
		{Targets: []string{"10.0.0.5:9209"}, Labels: map[string]string{"host": "web-1", "bucket": "shop"}},
		{Targets: []string{"web-2.example.com:443"}, Labels: map[string]string{"host": "web-2", "bucket": "shop", "__scheme__": "https"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestScrapable: agents say where they are; what leads elsewhere is not listed.
func TestScrapable(t *testing.T) {
	for address, want := range map[string]bool{
		"10.0.0.5:9209": true, "web-1:9209": true, "[fd00::1]:9209": true, "web_1.example.com:80": true,
		"": false, "web-1": false, ":9209": false, "web-1:0": false, "web-1:99999": false, "web-1:http": false,
		"agent.in-process:80": false, "Alertmanager.IN-PROCESS.:80": false, "evil/path:80": false, "user@host:80": false, "a b:80": false, "../x:80": false,
	} {
		if got := scrapable(address); got != want {
			t.Errorf("%q: %v, want %v", address, got, want)
		}
	}
}
