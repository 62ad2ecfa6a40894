package alertmanager

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/route"
)

// Handler serves /api/v2/…, /-/healthy and /-/ready.
func (s *Server) Handler() http.Handler { return s.handler }

func (s *Server) newHandler() http.Handler {
	router := route.New()
	ok := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "OK") }
	router.Get("/-/healthy", ok)
	router.Head("/-/healthy", ok)
	router.Get("/-/ready", ok)
	router.Head("/-/ready", ok)
	mux := s.api.Register(router, "/")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength > maxRequest { // the API itself takes a cut body for bad JSON
			http.Error(w, fmt.Sprintf("the request has %d bytes, at most %d are taken", r.ContentLength, maxRequest), http.StatusRequestEntityTooLarge)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
		mux.ServeHTTP(w, r)
	})
}

// Alert is an alert that fires, and whether anybody is told of it.
type Alert struct {
	Labels, Annotations         map[string]string
	StartsAt, EndsAt, UpdatedAt time.Time
	GeneratorURL, Fingerprint   string
	SilencedBy, InhibitedBy     []string // ids of silences; fingerprints of alerts
	Receivers                   []string
}

// ErrNotFound tells that there is no such silence.
var ErrNotFound = errors.New("there is none with this id")

// States of a Silence.
const (
	SilenceActive  = "active"
	SilencePending = "pending"
	SilenceExpired = "expired"
)

// Silence keeps the alerts that all its matchers match from being told.
type Silence struct {
	ID                 string
	Matchers           []Matcher
	StartsAt, EndsAt   time.Time
	CreatedBy, Comment string
	State              string
}

// Alerts lists what fires, the oldest first.
func (s *Server) Alerts(ctx context.Context) ([]Alert, error) {
	var found []struct {
		Labels, Annotations         map[string]string
		StartsAt, EndsAt, UpdatedAt time.Time
		GeneratorURL, Fingerprint   string
		Status                      struct{ SilencedBy, InhibitedBy []string }
		Receivers                   []struct{ Name string }
	}
	if err := s.call(ctx, http.MethodGet, "/api/v2/alerts", nil, &found); err != nil {
		return nil, fmt.Errorf("listing alerts: %w", err)
	}
	out := make([]Alert, 0, len(found))
	for _, f := range found {
		a := Alert{
			Labels: f.Labels, Annotations: f.Annotations, StartsAt: f.StartsAt, EndsAt: f.EndsAt, UpdatedAt: f.UpdatedAt,
			GeneratorURL: f.GeneratorURL, Fingerprint: f.Fingerprint, SilencedBy: f.Status.SilencedBy, InhibitedBy: f.Status.InhibitedBy,
		}
		for _, r := range f.Receivers {
			a.Receivers = append(a.Receivers, r.Name)
		}
		out = append(out, a)
	}
	slices.SortStableFunc(out, func(a, b Alert) int { return a.StartsAt.Compare(b.StartsAt) })
	return out, nil
}

// wireSilence is a silence in the API.
type wireSilence struct {
	ID        string            `json:"id,omitempty"`
	Matchers  []wireMatcher     `json:"matchers"`
	StartsAt  time.Time         `json:"startsAt"`
	EndsAt    time.Time         `json:"endsAt"`
	CreatedBy string            `json:"createdBy"`
	Comment   string            `json:"comment"`
	Status    map[string]string `json:"status,omitempty"`
}

type wireMatcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

// Silences lists them: active, pending, expired, those that end first before
// others.
func (s *Server) Silences(ctx context.Context) ([]Silence, error) {
	var found []wireSilence
	if err := s.call(ctx, http.MethodGet, "/api/v2/silences", nil, &found); err != nil {
		return nil, fmt.Errorf("listing silences: %w", err)
	}
	out := make([]Silence, 0, len(found))
	for _, f := range found {
		sil := Silence{ID: f.ID, StartsAt: f.StartsAt, EndsAt: f.EndsAt, CreatedBy: f.CreatedBy, Comment: f.Comment, State: f.Status["state"]}
		for _, m := range f.Matchers {
			sil.Matchers = append(sil.Matchers, Matcher{Name: m.Name, Value: m.Value, Regex: m.IsRegex, Negative: !m.IsEqual})
		}
		out = append(out, sil)
	}
	order := []string{SilenceActive, SilencePending, SilenceExpired}
	slices.SortStableFunc(out, func(a, b Silence) int {
		if d := slices.Index(order, a.State) - slices.Index(order, b.State); d != 0 {
			return d
		}
		return a.EndsAt.Compare(b.EndsAt)
	})
	return out, nil
}

// AddSilence creates a silence and returns its id. Without StartsAt it starts
// now; ID and State are not for the caller to set.
func (s *Server) AddSilence(ctx context.Context, sil Silence) (string, error) {
	if sil.StartsAt.IsZero() {
		sil.StartsAt = s.opts.Now()
	}
	w := wireSilence{StartsAt: sil.StartsAt, EndsAt: sil.EndsAt, CreatedBy: sil.CreatedBy, Comment: sil.Comment, Matchers: []wireMatcher{}}
	for _, m := range sil.Matchers {
		w.Matchers = append(w.Matchers, wireMatcher{Name: m.Name, Value: m.Value, IsRegex: m.Regex, IsEqual: !m.Negative})
	}
	var made struct{ SilenceID string }
	if err := s.call(ctx, http.MethodPost, "/api/v2/silences", w, &made); err != nil {
		return "", fmt.Errorf("creating a silence: %w", err)
	}
	return made.SilenceID, nil
}

// ExpireSilence ends a silence.
func (s *Server) ExpireSilence(ctx context.Context, id string) error {
	if id == "" || strings.Trim(id, "0123456789abcdefABCDEF-") != "" {
		return fmt.Errorf("ending silence %q: that is no id of one", id)
	}
	if err := s.call(ctx, http.MethodDelete, "/api/v2/silence/"+id, nil, nil); err != nil {
		return fmt.Errorf("ending silence %s: %w", id, err)
	}
	return nil
}

// call uses our own API, which is more stable than the packages behind it.
func (s *Server) call(ctx context.Context, method, path string, in, out any) error {
	body := &bytes.Buffer{}
	if in != nil {
		if err := json.NewEncoder(body).Encode(in); err != nil {
			return err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.RequestURI = path
	w := &answer{header: http.Header{}, code: http.StatusOK}
	s.handler.ServeHTTP(w, r)
	switch {
	case w.code == http.StatusNotFound:
		return ErrNotFound
	case w.code != http.StatusOK:
		return errors.New(w.problem())
	case out == nil:
		return nil
	}
	return json.Unmarshal(w.body.Bytes(), out)
}

// answer holds an answer of our own API.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// problem is what an answer says is wrong: the API answers with a string, with
// an object that has a message, or with plain text.
func (a *answer) problem() string {
	var text string
	if json.Unmarshal(a.body.Bytes(), &text) == nil {
		return text
	}
	var object struct{ Message string }
	if json.Unmarshal(a.body.Bytes(), &object) == nil && object.Message != "" {
		return object.Message
	}
	return strings.TrimSpace(a.body.String())
}
