package pages

import (
	"net/http"
	"strings"
	"testing"
)

// TestAliases: what people of Prometheus and Alertmanager type leads to the page
// that has it.
func TestAliases(t *testing.T) {
	p := newPages(t, newWorld(t), newAlertmanager(t))
	for from, want := range map[string]string{
		"/alerts": "/alertmanager/", "/alerts/": "/alertmanager/", "/silences": "/silence", "/silences/": "/silence",
		"/alerts?lang=zh": "/alertmanager/?lang=zh", "/query?g0.expr=up+%3D%3D+0": "/graph?g0.expr=up+%3D%3D+0",
	} {
		w := get(t, p, from)
		to := w.Header().Get("Location")
		if w.Code != http.StatusFound || to != want {
			t.Errorf("%s: %d to %q, want %s", from, w.Code, to, want)
			continue
		}
		if page := get(t, p, to); page.Code != http.StatusOK {
			t.Errorf("%s leads to %s, which is %d", from, to, page.Code)
		}
	}
	for _, none := range []string{"/alerts/x", "/silences/x", "/alert"} {
		if w := get(t, p, none); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", none, w.Code)
		}
	}
}

// TestElsewhere: a server without Prometheus and Alertmanager says where they are.
func TestElsewhere(t *testing.T) {
	p, _ := newExceptionPages(t, nil)
	for _, address := range []string{"/alerts", "/alerts/", "/silences", "/silence?matcher=app%3Dx", "/graph", "/query", "/alertmanager/"} {
		w := get(t, p, address)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), "your own Prometheus and Alertmanager") {
			t.Errorf("%s: %d %.300s", address, w.Code, w.Body.String())
		}
	}
	if page := get(t, p, "/alerts?lang=zh").Body.String(); !strings.Contains(page, "自己的 Prometheus 和 Alertmanager") {
		t.Errorf("no Chinese in %.300s", page)
	}
}
