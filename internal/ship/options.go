package ship

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/record"
)

// PushPath is where records are sent, below Options.URL.
const PushPath = "/api/v1/push"

// DefaultMaxBytes is how large the spool gets.
const DefaultMaxBytes = 256 << 20

// Options of a Shipper, named after the agent's flags. Dir, URL, one of TokenFile
// and Token, Host, Logger and Now are required.
type Options struct {
	Dir      string // --spool.dir: for this process alone
	MaxBytes int64  // --spool.max-bytes; 0 is DefaultMaxBytes

	URL       string // --server.url, without PushPath
	TokenFile string // --server.token-file: read for each request
	CAFile    string // --server.ca-file: PEM; empty: the system's
	Insecure  bool   // --server.insecure: the token may go over http:// to another host
	// Token is asked instead of TokenFile.
	Token func() (string, error)
	// Transport takes the place of a connection to URL: for a server in this process.
	Transport http.RoundTripper

	Host         string // --host.name
	Advertise    string // --web.advertise-address: host:port of the metrics; may be empty
	Scheme       string // of Advertise: https, or empty for http
	AgentVersion string

	Logger log.Logger
	Now    func() time.Time

	// For tests.
	random func() float64 // in [0, 1)
	linger time.Duration
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "" || o.Logger == nil || o.Now == nil:
		return errors.New("ship: an option is missing")
	case o.TokenFile == "" && o.Token == nil:
		return errors.New("--server.url needs --server.token-file: a file that holds the bucket's token, as pm25 bucket create prints it")
	case o.Scheme != "" && o.Scheme != "https":
		return fmt.Errorf("ship: scheme is %q: it has to be https or empty", o.Scheme)
	}
	if err := validName("--host.name", o.Host); err != nil {
		return err
	}
	if o.Advertise != "" {
		host, port, err := net.SplitHostPort(o.Advertise)
		if number, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host == "" || number == 0 || len(o.Advertise) > record.MaxName {
			return fmt.Errorf("--web.advertise-address is %q: it has to be host:port, as Prometheus reaches this agent", o.Advertise)
		}
	}
	_, err := pushURL(o.URL, o.Insecure || o.Transport != nil)
	return err
}

func validName(flag, name string) error {
	control := func(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 }
	if name == "" || len(name) > record.MaxName || strings.ContainsFunc(name, control) || strings.ToValidUTF8(name, "") != name {
		return fmt.Errorf("%s is %q: it has to be a name of 1 to %d bytes without control characters", flag, name, record.MaxName)
	}
	return nil
}

// pushURL returns where to push. The token must not be readable on the way.
func pushURL(server string, clearAllowed bool) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", fmt.Errorf("--server.url has to be like https://pm25.example.com:9725: %w", withoutURL(err))
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return "", errors.New("--server.url has to be like https://pm25.example.com:9725")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return "", errors.New("--server.url has to be an address alone, without user, ? and #: the token goes into --server.token-file")
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !clearAllowed:
		return "", fmt.Errorf("--server.url is http:// to %s: everybody on the way could read the token and the records; use https://, or say --server.insecure", u.Hostname())
	}
	return u.JoinPath(PushPath).String(), nil
}

// withoutURL is what is wrong with a URL, without the URL, which may hold a
// password.
func withoutURL(err error) error {
	var failed *url.Error
	if errors.As(err, &failed) {
		return failed.Err
	}
	return err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// transport is how the server is reached. It holds one connection.
func (o *Options) transport() (http.RoundTripper, error) {
	if o.Transport != nil {
		return o.Transport, nil
	}
	t := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second,
		MaxIdleConns:        1,
		MaxConnsPerHost:     1,
		IdleConnTimeout:     90 * time.Second,
		DisableCompression:  true, // answers are small, and bounded as they come
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},

		MaxResponseHeaderBytes: 64 << 10,
	}
	if o.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(o.CAFile)
	if err != nil {
		return nil, fmt.Errorf("--server.ca-file: %w", err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--server.ca-file %s holds no certificate in PEM form", o.CAFile)
	}
	return t, nil
}
