// Package client asks a `pm25 server` or `pm25 up` over HTTP, for the command
// line.
//
// Its errors say what to do. It sends credentials to the server that it was made
// for and follows no redirect with them.
package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/api"
)

// maxAnswer is more than any answer has.
const maxAnswer = 64 << 20

// Options of a Client.
type Options struct {
	URL            string // of the server, without a path
	Token          string // the operator token, or
	User, Password string // those of --web.config.file
	CAFile         string // trusted for https, beside none of the system's
	Timeout        time.Duration
}

// Client asks one server.
type Client struct {
	opts Options
	base *url.URL
	http *http.Client
}

// Error is an answer that is none.
type Error struct {
	Status int
	Text   string
}

func (e *Error) Error() string { return fmt.Sprintf("the server answers %d: %s", e.Status, e.Text) }

// New checks the options.
func New(o Options) (*Client, error) {
	base, err := url.Parse(o.URL)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || strings.Trim(base.Path, "/") != "" {
		return nil, fmt.Errorf("--server.url=%s: it has to look like http://127.0.0.1:9725, without a path", o.URL)
	}
	base.Path = ""
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, ForceAttemptHTTP2: true}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--server.ca-file: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("--server.ca-file: %s holds no certificate", o.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{opts: o, base: base, http: &http.Client{Transport: transport, Timeout: o.Timeout, CheckRedirect: stay}}, nil
}

// get asks for a path and takes what is in the envelope of the answer.
func get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return ask[T](ctx, c, http.MethodGet, path, query, nil)
}

// post sends in as JSON.
func post[T any](ctx context.Context, c *Client, path string, in any) (T, error) {
	body, err := json.Marshal(in)
	if err != nil {
		var none T
		return none, err
	}
	return ask[T](ctx, c, http.MethodPost, path, nil, body)
}

func ask[T any](ctx context.Context, c *Client, method, path string, query url.Values, body []byte) (T, error) {
	var a api.Answer[T]
	r, err := c.request(ctx, method, path, query, body)
	if err != nil {
		return a.Data, err
	}
	c.identify(r)
	answer, err := c.do(r, "; give the operator token with --token-file, or a user with --user and --password-file")
	if err != nil {
		return a.Data, err
	}
	if err := json.Unmarshal(answer, &a); err != nil || a.Status != "success" {
		return a.Data, fmt.Errorf("%s answers something else than expected at %s: is it a pm25 server?", c.base, path)
	}
	return a.Data, nil
}

func (c *Client) request(ctx context.Context, method, path string, query url.Values, body []byte) (*http.Request, error) {
	u := *c.base
	raw, err := url.PathUnescape(path)
	if err != nil {
		return nil, err
	}
	u.Path, u.RawPath, u.RawQuery = raw, path, query.Encode()
	r, err := http.NewRequestWithContext(ctx, method, u.String(), bytes.NewReader(body))
	if err == nil && body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, err
}

func (c *Client) identify(r *http.Request) {
	switch {
	case c.opts.User != "":
		r.SetBasicAuth(c.opts.User, c.opts.Password)
	case c.opts.Token != "":
		r.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
}

// do returns the body of a good answer. unknown is the fix where the credentials
// are not taken.
func (c *Client) do(r *http.Request, unknown string) ([]byte, error) {
	res, err := c.http.Do(r)
	if err != nil {
		return nil, c.explain(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("reading the answer of %s: %w", c.base, err)
	}
	if res.StatusCode != http.StatusOK {
		return nil, &Error{Status: res.StatusCode, Text: problem(res.StatusCode, body, unknown)}
	}
	return body, nil
}

// explain says what to do about a server that does not answer.
func (c *Client) explain(err error) error {
	var op *net.OpError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s: its certificate is of nobody that is trusted here: name its CA with --server.ca-file", c.base)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%s does not answer (%w): is pm25 server or pm25 up running there? --server.url names another", c.base, op.Err)
	}
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err
	}
	return fmt.Errorf("asking %s: %w", c.base, err)
}

// problem is what an answer says of itself, in one line, with the fix.
func problem(status int, body []byte, unknown string) string {
	var a api.Answer[json.RawMessage]
	text := strings.TrimSpace(string(body[:min(len(body), 500)]))
	if json.Unmarshal(body, &a) == nil && a.Error != "" {
		text = a.Error
	}
	if status == http.StatusUnauthorized {
		text += unknown
	}
	if status >= 300 && status < 400 {
		text = "a redirect: give the address that it leads to with --server.url"
	}
	return Printable(text)
}
