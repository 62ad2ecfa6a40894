package access

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// Alertmanager does not try again what is answered 429: it has its token's path
// whatever else asks, and nobody else has.
func TestLimitedTokenHasNoRate(t *testing.T) {
	p := newPlace(t, Exposure{}, "rate_limit: {interval: 1h, burst: 1}\n")
	file := filepath.Join(t.TempDir(), NotifyFile)
	limited, err := OpenNotify(file)
	if err != nil {
		t.Fatal(err)
	}
	token, err := ReadToken(file)
	if err != nil {
		t.Fatal(err)
	}
	p.gate.opts.Limited = map[string]*Token{"/notify/": limited}
	h := p.gate.Handler(p.gate.Changing(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	p.ask("GET", "http://127.0.0.1/") // all the burst
	for _, c := range []struct {
		path, token string
		want        int
	}{{"/notify/wecom/ops", token, 200}, {"/notify/wecom/ops", token + "x", 429}, {"/notify/wecom/ops", "", 429}, {"/other", token, 429}, {"/notify/wecom/ops", token, 200}} {
		r := httptest.NewRequest(http.MethodPost, "http://127.0.0.1"+c.path, nil)
		r.Header.Set("Authorization", "Bearer "+c.token)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s: %d, want %d", c.path, w.Code, c.want)
		}
	}
}
