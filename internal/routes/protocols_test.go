//go:build routes

package routes

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"math/big"
	"net"
	"net/http"
	"testing"
	"time"
)

// protocol is how the clients speak to an app.
type protocol struct {
	scheme string
	major  int // of HTTP
}

var (
	https = protocol{"https", 1}
	h2    = protocol{"https", 2}
	h2c   = protocol{"http", 2}
)

// url is the address of a path of the app on a port.
func (p protocol) url(port int, path string) string {
	if p.scheme == "" {
		p.scheme = "http"
	}
	return fmt.Sprintf("%s://127.0.0.1:%d%s", p.scheme, port, path)
}

// clients have a connection for each request, and connections that are kept.
func (p protocol) clients(identity *identity) [rounds]*http.Client {
	if p.scheme == "" {
		return [rounds]*http.Client{fresh, kept}
	}
	client := func(alone bool) *http.Client {
		var speaks http.Protocols
		speaks.SetHTTP1(p.major == 1)
		speaks.SetHTTP2(p == h2)
		speaks.SetUnencryptedHTTP2(p == h2c)
		return &http.Client{Timeout: 30 * time.Second, Transport: sees{p.major, &http.Transport{
			DisableKeepAlives: alone, MaxIdleConnsPerHost: 64, Protocols: &speaks, TLSClientConfig: &tls.Config{RootCAs: identity.roots},
		}}}
	}
	return [rounds]*http.Client{client(true), client(false)}
}

// sees fails requests that are answered over another protocol.
type sees struct {
	major int
	by    http.RoundTripper
}

func (s sees) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := s.by.RoundTrip(req)
	if err == nil && res.ProtoMajor != s.major {
		res.Body.Close()
		return nil, fmt.Errorf("it was answered over %s", res.Proto)
	}
	return res, err
}

// identity is what servers of these tests show to prove who they are.
type identity struct {
	roots     *x509.CertPool
	cert, key string // as PEM
}

func newIdentity(t testing.TB) *identity {
	t.Helper()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	must(err)
	text := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	id := &identity{roots: x509.NewCertPool(), cert: text("CERTIFICATE", cert), key: text("PRIVATE KEY", private)}
	id.roots.AppendCertsFromPEM([]byte(id.cert))
	return id
}

// options are options of Node.js' servers as JSON, with further ones.
func (i *identity) options(t testing.TB, more map[string]any) string {
	t.Helper()
	all := map[string]any{"cert": i.cert, "key": i.key}
	maps.Copy(all, more)
	b, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// overTLS are apps that serve HTTP/1.1 over TLS.
func overTLS(t testing.TB, id *identity) []framework {
	env := map[string]string{"PROTOCOL": "https", "TLS": id.options(t, nil)}
	return []framework{
		{name: "bare https", modules: "CommonJS", script: frameworkApp("bare.js"), env: env, requests: ids.all(), protocol: https},
		{name: "express 5, https", modules: "CommonJS", script: frameworkApp("express.js"), env: env, requests: colons.all(), protocol: https},
	}
}

// overHTTP2 are apps that serve HTTP/2. Node.js tells of its requests from 24.2
// on.
func overHTTP2(t testing.TB, id *identity) []framework {
	open := map[string]string{"PROTOCOL": "h2c"}
	secure := map[string]string{"PROTOCOL": "h2", "TLS": id.options(t, nil)}
	fastify := map[string]string{
		"EXT_TEST_ALIAS": "fastify=fastify5",
		"FASTIFY":        fmt.Sprintf(`{"http2":true,"https":%s}`, id.options(t, map[string]any{"allowHTTP1": true})),
	}
	koa := alias("koa=koa3")
	maps.Copy(koa, secure)
	cjs := func(name, script string, s shape, env map[string]string, p protocol) framework {
		return framework{name: name, modules: "CommonJS", script: frameworkApp(script), env: env, requests: s.all(), protocol: p}
	}
	return []framework{
		cjs("bare HTTP/2", "bare.js", ids, open, h2c),
		cjs("bare HTTP/2, TLS", "bare.js", ids, secure, h2),
		cjs("the same, by HTTP/1.1", "bare.js", ids, secure, https),
		// koa 2 never answers HEAD over HTTP/2.
		cjs("koa 3, HTTP/2, TLS", "koa.js", colons, koa, h2),
		cjs("fastify 5, HTTP/2, TLS", "fastify.js", colons, fastify, h2),
		cjs("the same, by HTTP/1.1", "fastify.js", colons, fastify, https),
	}
}
