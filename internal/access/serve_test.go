package access

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// certify writes a certificate of 127.0.0.1 and its key.
func certify(t *testing.T, dir string, serial int64) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "pm25"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{"crt.pem": {Type: "CERTIFICATE", Bytes: der}, "key.pem": {Type: "EC PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestServeTLS: relative names of the file are beside it, a new certificate is
// taken without a restart, HTTP/2 is spoken where it is not turned off, and users
// are asked for their passwords.
func TestServeTLS(t *testing.T) {
	for _, http2 := range []bool{true, false} {
		dir := t.TempDir()
		certify(t, dir, 1)
		config := userConfig(t, "ops", "right") + "tls_server_config: {cert_file: crt.pem, key_file: key.pem}\n"
		if !http2 {
			config += "http_server_config: {http2: false}\n"
		}
		file := filepath.Join(dir, "web.yml")
		if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		operator, err := OpenOperator(filepath.Join(dir, OperatorFile))
		if err != nil {
			t.Fatal(err)
		}
		listeners := listenOn(t, "127.0.0.1:0")
		exposure, err := Expose(listeners, file)
		if err != nil || !exposure.TLS || !exposure.Authenticated || exposure.Public {
			t.Fatalf("%+v, %v", exposure, err)
		}
		g, err := New(Options{
			Exposure: exposure, External: &url.URL{Host: "127.0.0.1"}, WebConfig: file, Operator: operator,
			OwnRule: func(path string) bool { return path == ownPath }, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		server := NewServer(g.Handler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })))
		served := make(chan error, 1)
		go func() { served <- g.Serve(listeners, server, 10) }()
		address := "https://" + listeners[0].Addr().String()
		serial, proto, code := fetch(t, address, "ops", "right")
		want := map[bool]string{true: "HTTP/2.0", false: "HTTP/1.1"}[http2]
		if serial != 1 || proto != want || code != http.StatusOK {
			t.Errorf("certificate %d, %s, %d; want 1, %s", serial, proto, code, want)
		}
		if _, _, code := fetch(t, address, "ops", "wrong"); code != http.StatusUnauthorized {
			t.Errorf("a wrong password: %d", code)
		}
		if _, _, code := fetch(t, address+ownPath, "", ""); code != http.StatusOK {
			t.Errorf("a path with its own rule: %d", code)
		}
		certify(t, dir, 2)
		if serial, _, _ := fetch(t, address, "ops", "right"); serial != 2 {
			t.Errorf("certificate %d after it was changed", serial)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := server.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		<-served
	}
}

// fetch opens a connection of its own.
func fetch(t *testing.T, address, user, password string) (serial int64, proto string, code int) {
	t.Helper()
	transport := &http.Transport{ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	if user != "" {
		r.SetBasicAuth(user, password)
	}
	res, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(res.Body)
	return res.TLS.PeerCertificates[0].SerialNumber.Int64(), string(body), res.StatusCode
}
