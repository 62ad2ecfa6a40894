package access

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"strings"
)

// Exposure is who can reach a server, and how.
type Exposure struct {
	Public        bool // on another address than loopback
	Authenticated bool // nobody reads without a password or a certificate
	TLS           bool
}

// Expose judges the listeners and --web.config.file.
func Expose(listeners []net.Listener, webConfig string) (Exposure, error) {
	var e Exposure
	for _, l := range listeners {
		if tcp, ok := l.Addr().(*net.TCPAddr); ok && !tcp.IP.IsLoopback() {
			e.Public = true
		}
	}
	if webConfig == "" {
		return e, nil
	}
	c, err := readWebConfig(webConfig)
	if err != nil {
		return e, fmt.Errorf("--web.config.file %s: %w", webConfig, err)
	}
	e.TLS, e.Authenticated = c.TLSConfig.IsEnabled(), authenticates(c)
	return e, nil
}

// Check refuses what would let anyone read.
func (e Exposure) Check(insecure bool, addresses []string) error {
	if !e.Public || e.Authenticated || insecure {
		return nil
	}
	return fmt.Errorf("--web.listen-address=%s can be reached from other machines, and nobody would be asked for a password: set basic_auth_users or client certificates in --web.config.file, listen on 127.0.0.1, or say --web.insecure", strings.Join(addresses, ","))
}

// ExternalURL is where people reach us: --web.external-url, or the first
// listener.
func ExternalURL(flag string, listeners []net.Listener, e Exposure) (*url.URL, error) {
	if flag == "" {
		return listenerURL(listeners[0], e.TLS)
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

// Warn tells of what is allowed and should not be for long.
func (e Exposure) Warn(logger *slog.Logger) {
	if !e.Public || e.TLS {
		return
	}
	logger.Warn("Other machines can reach this server without TLS: passwords, and the tokens with which agents push, can be read on the way; set tls_server_config in --web.config.file, or have a proxy do it")
}
