package ship

import (
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
)

func TestOptions(t *testing.T) {
	token := tokenFile(t)
	empty := filepath.Join(t.TempDir(), "empty")
	ok(t, os.WriteFile(empty, []byte("\n"), 0o600))
	good := func() Options {
		return Options{Dir: t.TempDir(), URL: "http://127.0.0.1:1", TokenFile: token, Host: "h", Logger: log.NewNopLogger(), Now: time.Now}
	}
	for _, tc := range []struct {
		change func(*Options)
		want   string // in the error; empty: there is none
	}{
		{func(*Options) {}, ""},
		{func(o *Options) { o.URL = "http://localhost:9725/pm25/" }, ""},
		{func(o *Options) { o.URL = "http://[::1]:9725" }, ""},
		{func(o *Options) { o.URL = "https://pm25.example.com" }, ""},
		{func(o *Options) { o.URL, o.Insecure = "http://10.0.0.1:9725", true }, ""},
		{func(o *Options) { o.URL = "http://10.0.0.1:9725" }, "--server.insecure"},
		{func(o *Options) { o.URL = "http://localhost.example.com" }, "--server.insecure"},
		{func(o *Options) { o.URL = "pm25.example.com:9725" }, "--server.url"},
		{func(o *Options) { o.URL = "ftp://pm25.example.com" }, "--server.url"},
		{func(o *Options) { o.URL = "https://" }, "--server.url"},
		{func(o *Options) { o.URL = "https://me:" + secret + "@pm25.example.com" }, "--server.token-file"},
		{func(o *Options) { o.URL = "https://me:" + secret + "@pm25.example.com:x" }, "--server.url"},
		{func(o *Options) { o.URL = "https://pm25.example.com?token=" + secret }, "--server.token-file"},
		{func(o *Options) { o.TokenFile = "" }, "--server.token-file"},
		{func(o *Options) { o.TokenFile = "/nowhere" }, "--server.token-file"},
		{func(o *Options) { o.TokenFile = empty }, "is empty"},
		{func(o *Options) { o.CAFile = "/nowhere" }, "--server.ca-file"},
		{func(o *Options) { o.CAFile = token }, "--server.ca-file"},
		{func(o *Options) { o.Host = "" }, "--host.name"},
		{func(o *Options) { o.Host = "a\nb" }, "--host.name"},
		{func(o *Options) { o.Host = strings.Repeat("h", 300) }, "--host.name"},
		{func(o *Options) { o.Advertise = "host" }, "--web.advertise-address"},
		{func(o *Options) { o.Advertise = ":9209" }, "--web.advertise-address"},
		{func(o *Options) { o.Advertise = "web-1:9209/metrics" }, "--web.advertise-address"},
		{func(o *Options) { o.Advertise = "web-1:9209" }, ""},
		{func(o *Options) { o.MaxBytes = 1000 }, "--spool.max-bytes"},
		{func(o *Options) { o.Dir = token }, "--spool.dir"},
		{func(o *Options) { o.Now = nil }, "option is missing"},
	} {
		o := good()
		tc.change(&o)
		s, err := Open(o)
		if tc.want == "" {
			if err != nil {
				t.Errorf("%s: %v", o.URL, err)
				continue
			}
			ok(t, s.Close())
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v, want one about %s", err, tc.want)
		}
	}
}

func TestTLS(t *testing.T) {
	r := newRig(t, nil)
	web := httptest.NewTLSServer(r.server)
	defer web.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	ok(t, os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600))
	for file, stored := range map[string]int{"": 0, ca: 1} {
		r := newRig(t, func(o *Options) { o.URL, o.CAFile = web.URL, file })
		r.server = newServer()
		web.Config.Handler = r.server
		r.put(t, 0, 1)
		r.next(t)
		if n := r.server.stored(); n != stored || r.pending() != 1-stored {
			t.Errorf("with %q: %d stored, %d pending", file, n, r.pending())
		}
	}
}
