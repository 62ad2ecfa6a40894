//go:build chain

package chain

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/internal/uptest"
)

// TestOwnFiles runs by a user's own files: a Prometheus configuration with rules
// and remote write to a second Prometheus, an Alertmanager configuration, TLS
// and a password on the listener. All that worked without them still does.
func TestOwnFiles(t *testing.T) {
	remote := promtest.Start(t, promtest.Options{Binary: promtest.Binary(t, "3"), Config: "global: {scrape_interval: 1h}\n", Args: []string{"--web.enable-remote-write-receiver"}})
	hook, team := uptest.NewWebhook(t), uptest.NewWebhook(t)
	dir := t.TempDir()
	file := func(name, format string, args ...any) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, fmt.Appendf(nil, format, args...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := file("rules.yml", `
groups:
  - name: mine
    interval: 5s
    rules:
      - record: mine:daemons:up
        expr: sum(pm2_up)
      - alert: MineDaemonsUp
        expr: mine:daemons:up == 1
        labels: {team: mine}
`)
	config := file("prometheus.yml", `
global: {scrape_interval: 5s, evaluation_interval: 5s, external_labels: {site: lab}}
rule_files: [%s]
remote_write: [{url: "%s/api/v1/write"}]
scrape_configs:
  - job_name: second
    static_configs: [{targets: [%q]}]
`, rules, remote.URL, remote.URL[len("http://"):])
	alerting := file("alertmanager.yml", `
route:
  receiver: ops
  group_by: [alertname, app]
  group_wait: 1s
  routes: [{receiver: team, matchers: [team="mine"]}]
receivers:
  - {name: ops, webhook_configs: [{url: %q}]}
  - {name: team, webhook_configs: [{url: %q}]}
`, hook.URL, team.URL)
	pool, certificate, key := selfSigned(t)
	// The password is "test".
	web := file("web.yml", `
tls_server_config: {cert_file: %s, key_file: %s}
basic_auth_users: {ops: "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"}
`, file("cert.pem", "%s", certificate), file("key.pem", "%s", key))

	d := pm2test.New(t, pm2test.Options{})
	stranger := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	u := uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}, TLS: true,
		Client: &http.Client{Timeout: 30 * time.Second, Transport: withPassword{stranger.Transport}},
		Args:   []string{"--config.file=" + config, "--alertmanager.config.file=" + alerting, "--web.config.file=" + web},
	})
	d.App(t, pm2test.AppSpec{Name: "calm"}, looping("payments"))

	// Scrapes, of the jobs that are ours and of the user's, and rules.
	u.WaitValue(30*time.Second, 3, `count(up{job=~"pm2|pm25|second"} == 1)`)
	u.WaitValue(30*time.Second, 1, `mine:daemons:up`)
	u.WaitValue(30*time.Second, 1, `count(pm2_process_state{app="calm",state="online"} == 1)`)
	// Alerts, by the user's routes.
	own := team.Wait(t, tell, "firing", "alertname", "MineDaemonsUp")
	loop := hook.Wait(t, tell, "firing", "alertname", "PM2CrashLoop", "app", "payments")
	for _, a := range []uptest.Told{own, loop} {
		if a.Labels["site"] != "lab" {
			t.Errorf("without the external label: %v", a)
		}
	}
	if len(team.Told("firing", "alertname", "PM2CrashLoop")) > 0 {
		t.Error("the crash loop went to the wrong receiver")
	}
	// What is stored is at the second Prometheus too, rules' results included.
	for _, expr := range []string{`pm2_up{site="lab",daemon="shop",job="pm2"}`, `mine:daemons:up{site="lab"}`, `ALERTS{alertname="PM2CrashLoop",app="payments",alertstate="firing"}`} {
		pm2test.Eventually(t, 60*time.Second, func() error {
			series, err := remote.Query(t.Context(), expr, time.Now())
			if err == nil && len(series) != 1 {
				err = fmt.Errorf("%s: %d series", expr, len(series))
			}
			return err
		})
	}
	checkPassword(t, u, stranger)
	// A reload of the same files changes nothing.
	if err := u.Reload(); err != nil {
		t.Error(err)
	}
	u.WaitValue(30*time.Second, 3, `count(up{job=~"pm2|pm25|second"} == 1)`)
	u.Stop()
}

// checkPassword asks for everything with the password and without.
func checkPassword(t *testing.T, u *uptest.Up, stranger *http.Client) {
	t.Helper()
	for _, path := range []string{"/", "/alertmanager/", "/metrics", "/-/ready", "/prometheus/api/v1/query?query=up", "/prometheus/api/v1/rules", "/alertmanager/api/v2/alerts", "/alertmanager/api/v2/status", "/runbooks/PM2CrashLoop"} {
		if code, body, err := u.Get(path); err != nil || code != http.StatusOK {
			t.Errorf("%s with a password: %d, %v: %.200s", path, code, err, body)
		}
		res, err := stranger.Get(u.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if res.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a password: %s", path, res.Status)
		}
	}
	if id, err := u.Silence(map[string]string{"app": "payments"}, time.Hour, "known"); err != nil || id == "" {
		t.Errorf("a silence with a password: %q, %v", id, err)
	}
	res, err := stranger.Post(u.URL+"/-/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnauthorized {
		t.Errorf("a reload without a password: %s", res.Status)
	}
	// Somebody who speaks plain HTTP to the TLS port.
	if res, err := http.Get("http://" + u.URL[len("https://"):] + "/metrics"); err == nil {
		res.Body.Close()
		if res.StatusCode == http.StatusOK {
			t.Error("plain HTTP is answered")
		}
	}
}

// withPassword adds the user and password of the tests.
type withPassword struct{ next http.RoundTripper }

func (w withPassword) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.SetBasicAuth("ops", "test")
	return w.next.RoundTrip(r)
}

// selfSigned makes a certificate for 127.0.0.1 and a pool that trusts it.
func selfSigned(t *testing.T) (pool *x509.CertPool, certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "pm25 test"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return pool, certificate, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}
