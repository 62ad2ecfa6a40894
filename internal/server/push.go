package server

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	pushPath = "/api/v1/push"

	// bodyTimeout bounds how long a body may take to arrive.
	bodyTimeout = 30 * time.Second
	// Seconds after which an agent asks again.
	retrySoon = "2"
	retryFull = "30"
)

// rejection is a push that is not taken as a whole.
type rejection struct {
	code   int
	reason string        // as in the metric
	text   string        // names the limit, or the fix
	after  time.Duration // Retry-After; 0: none
}

func (r *rejection) Error() string { return r.text }

// push answers when what it tells of is on disk.
func (s *Server) push(w http.ResponseWriter, r *http.Request) {
	start := s.opts.Now()
	receipt, err := s.take(w, r)
	code := http.StatusOK
	var rejected *rejection
	switch {
	case errors.As(err, &rejected):
		code = rejected.code
		s.metrics.rejected.WithLabelValues(rejected.reason).Inc()
		if rejected.after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(rejected.after.Seconds()))))
		}
		if code == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="pm25 push"`)
		}
		// What was not read is not worth a connection.
		w.Header().Set("Connection", "close")
		refuse(w, code, rejected.text)
	default:
		writeJSON(w, code, receipt)
	}
	s.metrics.requests.WithLabelValues(strconv.Itoa(code)).Inc()
	s.metrics.duration.Observe(s.opts.Now().Sub(start).Seconds())
}

// take reads, checks and stores one batch.
func (s *Server) take(w http.ResponseWriter, r *http.Request) (*record.Receipt, error) {
	bucket, err := s.authenticate(r)
	if err != nil {
		return nil, err
	}
	done, err := s.limits.enter(r.Context(), bucket)
	if err != nil {
		return nil, err
	}
	defer done()
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTimeout)) // not every writer has one
	body, err := readBody(r)
	if err != nil {
		return nil, err
	}
	s.metrics.bytes.Add(float64(len(body)))
	b, err := decode(body, s.opts.Now())
	if err != nil {
		return nil, err
	}
	if err := s.limits.charge(bucket, len(b.records)+len(b.refused), len(body)); err != nil {
		return nil, err
	}
	for _, refusal := range b.refused {
		s.metrics.refused.WithLabelValues(bucket, string(refusal.Reason)).Inc()
	}
	stored, duplicates, err := s.opts.Store.Push(r.Context(), bucket, b.agent, b.records)
	if err != nil {
		return nil, s.storeRejection(bucket, err)
	}
	s.Stored(bucket, stored, duplicates)
	return &record.Receipt{Stored: stored, Duplicates: duplicates, Refused: b.refused}, nil
}

// authenticate tells whose bucket a push is for.
func (s *Server) authenticate(r *http.Request) (bucket string, err error) {
	scheme, token, found := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !found || !strings.EqualFold(scheme, "Bearer") || token == "" {
		return "", &rejection{code: http.StatusUnauthorized, reason: "token", text: "a push needs Authorization: Bearer TOKEN; pm25 bucket create makes a token"}
	}
	bucket, err = s.opts.Store.Authenticate(r.Context(), token)
	switch {
	case errors.Is(err, sessionstore.ErrToken):
		return "", &rejection{code: http.StatusUnauthorized, reason: "token", text: "unknown, revoked or expired token: pm25 bucket list shows those that are valid"}
	case err != nil:
		return "", s.storeRejection("", err)
	}
	return bucket, nil
}

func (s *Server) storeRejection(bucket string, err error) error {
	switch {
	case errors.Is(err, sessionstore.ErrFull):
		return &rejection{code: http.StatusInsufficientStorage, reason: "full", text: "the disk of the store is full", after: 30 * time.Second}
	case errors.Is(err, sessionstore.ErrOverloaded):
		return &rejection{code: http.StatusServiceUnavailable, reason: "overloaded", text: "too many writes wait for the disk of the store", after: 2 * time.Second}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return &rejection{code: http.StatusServiceUnavailable, reason: "gone", text: "the request ended before it was stored", after: time.Second}
	}
	s.opts.Logger.Error("Storing failed", "bucket", bucket, "err", err)
	return &rejection{code: http.StatusInternalServerError, reason: "failed", text: fmt.Sprintf("storing failed; the log of the server says why (%s)", s.opts.Now().UTC().Format(time.RFC3339)), after: 5 * time.Second}
}
