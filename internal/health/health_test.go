package health

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestAsk(t *testing.T) {
	code := http.StatusOK
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = w.Write([]byte("waiting for the store\n"))
	}))
	if err := Ask(t.Context(), web.URL); err != nil {
		t.Error(err)
	}
	code = http.StatusServiceUnavailable
	if err := Ask(t.Context(), web.URL); err == nil || !strings.Contains(err.Error(), "503 Service Unavailable: waiting for the store") {
		t.Errorf("%v", err)
	}
	web.Close()
	if err := Ask(t.Context(), web.URL); err == nil {
		t.Error("nobody is ready")
	}
}
