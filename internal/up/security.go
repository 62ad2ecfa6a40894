package up

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
)

// exposure is who can reach us, and how.
type exposure struct {
	public        bool // on another address than loopback
	authenticated bool
	tls           bool
}

// expose judges the listeners and --web.config.file.
func expose(listeners []net.Listener, webConfig string) (exposure, error) {
	var e exposure
	for _, l := range listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
			e.public = true
		}
	}
	var err error
	e.tls, e.authenticated, err = readWebConfig(webConfig)
	return e, err
}

func readWebConfig(file string) (tls, authenticated bool, err error) {
	if file == "" {
		return false, false, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return false, false, fmt.Errorf("--web.config.file: %w", err)
	}
	var conf web.Config
	if err := yaml.Unmarshal(data, &conf); err != nil {
		return false, false, fmt.Errorf("--web.config.file %s: %w", file, err)
	}
	return conf.TLSConfig.IsEnabled(), len(conf.Users) > 0 || strings.HasPrefix(conf.TLSConfig.ClientAuth, "RequireAndVerify"), nil
}

// check refuses what would let anyone read and silence.
func (e exposure) check(insecure bool, addresses []string) error {
	if !e.public || e.authenticated || insecure {
		return nil
	}
	return fmt.Errorf("--web.listen-address=%s can be reached from other machines, and nobody would be asked for a password: set basic_auth_users or client certificates in --web.config.file, listen on 127.0.0.1, or say --web.insecure", strings.Join(addresses, ","))
}

// guard keeps strangers and other sites' pages away. Requests that change
// something have to come from our own pages or from no browser at all; and
// without a password, a Host that is not ours is the sign of a name that was
// made to point here. locked, which may be nil, tells why nobody is let in.
func guard(e exposure, external *url.URL, locked func() error, next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "this request comes from a page of another site", http.StatusForbidden)
	}))
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if locked != nil {
			if err := locked(); err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
		}
		if !e.authenticated && !ownHost(r.Host, e.public, external) {
			http.Error(w, fmt.Sprintf("%q is no name of this server: use http://127.0.0.1, or give the name with --web.external-url", r.Host), http.StatusMisdirectedRequest)
			return
		}
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// ownHost tells whether a Host header names this machine's loopback or the
// external URL; an address of a public listener is no name that others made.
func ownHost(hostport string, public bool, external *url.URL) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || host == strings.ToLower(external.Hostname()) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (public || ip.IsLoopback())
}

// externalURL is where people reach us: --web.external-url, or the first
// listener.
func externalURL(flag string, listeners []net.Listener, e exposure) (*url.URL, error) {
	if flag == "" {
		return listenerURL(listeners[0], e.tls)
	}
	u, err := url.Parse(flag)
	switch {
	case err != nil:
		return nil, fmt.Errorf("--web.external-url: %w", err)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("--web.external-url=%s: it has to look like https://pm25.example.com", flag)
	case strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("--web.external-url=%s: it has to be without a path; give pm25 a host name or a port of its own", flag)
	}
	u.Path = ""
	return u, nil
}

func listenerURL(l net.Listener, tls bool) (*url.URL, error) {
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		return nil, errors.New("give --web.external-url: the listener's address says nothing that a link could use")
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return nil, fmt.Errorf("give --web.external-url: %w", err)
		}
	}
	return &url.URL{Scheme: scheme, Host: net.JoinHostPort(host, port)}, nil
}
