// Package access decides who is let in over HTTP, for `pm25 up` and `pm25 server`:
// by the users and certificates of --web.config.file and by the operator token,
// with a rule of its own for the paths that have one.
//
// It guarantees that a web configuration which breaks while we run opens
// nothing; that what changes something is asked for with credentials, always,
// and by no page of another site; and that no token or password is logged. It
// does not know what a path means.
package access

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Options of a Gate.
type Options struct {
	Exposure  Exposure
	External  *url.URL
	Names     []string // further names of this server, besides that of External
	WebConfig string   // --web.config.file; may be empty
	Insecure  bool     // --web.insecure
	Operator  *Token
	// Limited are tokens that are credentials below one path only, by that path.
	Limited map[string]*Token
	// OwnRule tells of paths that ask for credentials of their own, or for none:
	// no password of the web configuration is asked for there.
	OwnRule func(path string) bool
	Logger  *slog.Logger
}

// Gate stands before all handlers of a server.
type Gate struct {
	opts       Options
	names      []string // of this server
	config     *webConfig
	passwords  *passwords
	sameOrigin *http.CrossOriginProtection
}

// New returns a gate. The web configuration has to be valid.
func New(o Options) (*Gate, error) {
	if o.External == nil || o.Operator == nil || o.OwnRule == nil || o.Logger == nil {
		return nil, errors.New("access: an option is missing")
	}
	g := &Gate{
		opts: o, names: append([]string{o.External.Hostname()}, o.Names...), passwords: newPasswords(), sameOrigin: http.NewCrossOriginProtection(),
		config: newWebConfig(o.WebConfig, o.Exposure.Public && !o.Insecure, o.Logger),
	}
	return g, nil
}

// identity is who asks, by credentials that were checked.
type identity struct{ name string }

type identityKey struct{}

// Who tells who asks, if credentials said so.
func Who(ctx context.Context) (name string, ok bool) {
	id, ok := ctx.Value(identityKey{}).(identity)
	return id.name, ok
}

// Handler lets through to next who may read. What changes something has to ask
// Changing too.
func (g *Gate) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		s, err := g.config.current()
		// Alertmanager takes 429 for a refusal, and would not try again.
		if _, limited := g.limited(r); s.limiter != nil && !limited && !s.limiter.Allow() {
			h.Set("Retry-After", "1")
			http.Error(w, "more requests than rate_limit in --web.config.file allows", http.StatusTooManyRequests)
			return
		}
		for name, value := range s.headers {
			h.Set(name, value)
		}
		switch {
		case g.opts.OwnRule(r.URL.Path):
			next.ServeHTTP(w, r)
		case err != nil:
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		default:
			g.admit(w, r, s, next)
		}
	})
}

// admit asks for what the web configuration asks for. Without a password, a Host
// that is not ours is the sign of a name that was made to point here.
func (g *Gate) admit(w http.ResponseWriter, r *http.Request, s *settings, next http.Handler) {
	who, known, busy := g.identify(r, s)
	switch {
	case busy:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "too many passwords are being checked", http.StatusTooManyRequests)
		return
	case !known && s.authenticates():
		deny(w, "a user of --web.config.file or the operator token is needed")
		return
	case !known && !ownHost(r.Host, g.opts.Exposure.Public, g.names):
		http.Error(w, fmt.Sprintf("%q is no name of this server: use http://127.0.0.1, or give the name with --web.external-url or --web.allowed-host", r.Host), http.StatusMisdirectedRequest)
		return
	}
	if err := g.sameOrigin.Check(r); err != nil {
		http.Error(w, "this request comes from a page of another site", http.StatusForbidden)
		return
	}
	if known {
		r = r.WithContext(context.WithValue(r.Context(), identityKey{}, identity{who}))
	}
	next.ServeHTTP(w, r)
}

// identify reads the credentials of a request.
func (g *Gate) identify(r *http.Request, s *settings) (who string, ok, busy bool) {
	if who, ok := g.limited(r); ok {
		return who, true, false
	}
	if token, found := bearer(r); found {
		return "operator", g.opts.Operator.is(token), false
	}
	if user, password, found := r.BasicAuth(); found {
		if g.opts.Operator.is(password) {
			return userOr(user, "operator"), true, false
		}
		if len(s.users) == 0 {
			return "", false, false
		}
		ok, busy = g.passwords.check(s.users, user, password)
		return user, ok, busy
	}
	// Where there are users, a certificate is asked for beside the password, as
	// exporter-toolkit does, and not in its place: agents have one too.
	if s.certificates && len(s.users) == 0 && r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return userOr(r.TLS.VerifiedChains[0][0].Subject.CommonName, "client certificate"), true, false
	}
	return "", false, false
}

// limited tells whether a request has the token that is limited to its path.
func (g *Gate) limited(r *http.Request) (who string, ok bool) {
	token, found := bearer(r)
	if !found {
		return "", false
	}
	for path, limited := range g.opts.Limited {
		if strings.HasPrefix(r.URL.Path, path) && limited.is(token) {
			return strings.Trim(path, "/"), true
		}
	}
	return "", false
}

func userOr(user, or string) string {
	if user == "" {
		return or
	}
	return user
}

// Changing keeps a handler that changes something to those whose credentials
// were checked, also where reading is free.
func (g *Gate) Changing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := Who(r.Context()); !ok {
			where := g.opts.Operator.File()
			if g.opts.Exposure.Public { // where our files are is nothing for strangers
				where = OperatorFile + " in the data folder"
			}
			deny(w, fmt.Sprintf("changing something needs a user of --web.config.file, or the operator token as password: it is in %s on the server", where))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// deny has a browser ask for a password.
func deny(w http.ResponseWriter, text string) {
	w.Header().Set("WWW-Authenticate", `Basic realm="pm25: a user, or any name with the operator token (operator.token in the data folder)", charset="UTF-8"`)
	http.Error(w, text, http.StatusUnauthorized)
}

func bearer(r *http.Request) (token string, ok bool) {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.TrimSpace(token), ok && strings.EqualFold(scheme, "Bearer")
}

// ownHost tells whether a Host header names this machine's loopback or has one
// of our names; an address of a public listener is no name that others made.
func ownHost(hostport string, public bool, names []string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || slices.ContainsFunc(names, func(name string) bool { return strings.EqualFold(host, name) }) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && (public || ip.IsLoopback())
}
