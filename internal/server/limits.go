package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/pm25/pm25/internal/record"
)

// Limits of what each bucket may push. 0 is the default, a negative rate none.
type Limits struct {
	RecordsPerSecond int // --push.max-records-per-second
	BytesPerSecond   int // --push.max-bytes-per-second, decompressed
	Requests         int // pushes that are worked on at a time, over all buckets
}

// The defaults.
const (
	DefaultRecordsPerSecond = 20_000
	DefaultBytesPerSecond   = 64 << 20
	defaultRequests         = 32

	// enterTimeout is how long a push waits for others.
	enterTimeout = 5 * time.Second
)

func (l Limits) validate() error {
	if l.Requests < 0 {
		return errors.New("server: a negative number of requests")
	}
	return nil
}

func (l Limits) withDefaults() Limits {
	if l.RecordsPerSecond == 0 {
		l.RecordsPerSecond = DefaultRecordsPerSecond
	}
	if l.BytesPerSecond == 0 {
		l.BytesPerSecond = DefaultBytesPerSecond
	}
	if l.Requests == 0 {
		l.Requests = defaultRequests
	}
	return l
}

// limiter holds pushes to Limits. A bucket has at most half of the places, so
// that one with slow lines does not keep out the others.
type limiter struct {
	limits   Limits
	patience time.Duration
	now      func() time.Time
	places   chan struct{}

	mu      sync.Mutex
	buckets map[string]*bucketLimiter // as many as operators made
}

type bucketLimiter struct {
	records, bytes *rate.Limiter
	places         chan struct{}
}

func newLimiter(l Limits, now func() time.Time) *limiter {
	l = l.withDefaults()
	return &limiter{limits: l, patience: enterTimeout, now: now, places: make(chan struct{}, l.Requests), buckets: map[string]*bucketLimiter{}}
}

func (l *limiter) of(bucket string) *bucketLimiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.buckets[bucket]
	if b == nil {
		b = &bucketLimiter{
			// A burst takes the largest batch, however low the rate.
			records: newRate(l.limits.RecordsPerSecond, record.MaxRecords),
			bytes:   newRate(l.limits.BytesPerSecond, record.MaxBatch),
			places:  make(chan struct{}, max(1, l.limits.Requests/2)),
		}
		l.buckets[bucket] = b
	}
	return b
}

func newRate(perSecond, least int) *rate.Limiter {
	if perSecond < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(perSecond), max(perSecond, least))
}

// enter waits for a place; done gives it back.
func (l *limiter) enter(ctx context.Context, bucket string) (done func(), err error) {
	b := l.of(bucket)
	if wait := l.until(b.bytes, 1); wait > 0 { // before anything is read
		return nil, l.tooMuch("bytes", l.limits.BytesPerSecond, wait)
	}
	ctx, cancel := context.WithTimeout(ctx, l.patience)
	defer cancel()
	if !take(ctx, b.places) {
		return nil, busy()
	}
	if !take(ctx, l.places) {
		<-b.places
		return nil, busy()
	}
	return func() { <-l.places; <-b.places }, nil
}

func take(ctx context.Context, places chan struct{}) bool {
	select {
	case places <- struct{}{}:
		return true
	case <-ctx.Done():
		return false
	}
}

func busy() error {
	return &rejection{code: http.StatusServiceUnavailable, reason: "busy", text: "too many pushes at a time", after: 2 * time.Second}
}

// charge counts a batch against the rates of its bucket, or refuses it.
func (l *limiter) charge(bucket string, records, bytes int) error {
	b := l.of(bucket)
	if wait := l.until(b.records, records); wait > 0 {
		return l.tooMuch("records", l.limits.RecordsPerSecond, wait)
	}
	if wait := l.until(b.bytes, bytes); wait > 0 {
		return l.tooMuch("bytes", l.limits.BytesPerSecond, wait)
	}
	b.records.AllowN(l.now(), records)
	b.bytes.AllowN(l.now(), bytes)
	return nil
}

// until tells how long n have to wait. Nothing is taken.
func (l *limiter) until(r *rate.Limiter, n int) time.Duration {
	if r.Limit() == rate.Inf {
		return 0
	}
	missing := float64(n) - r.TokensAt(l.now())
	if missing <= 0 {
		return 0
	}
	return time.Duration(missing / float64(r.Limit()) * float64(time.Second))
}

func (l *limiter) tooMuch(of string, perSecond int, wait time.Duration) error {
	return &rejection{
		code: http.StatusTooManyRequests, reason: "rate", after: max(wait, time.Second),
		text: fmt.Sprintf("more than %d %s a second from this bucket (--push.max-%s-per-second)", perSecond, of, of),
	}
}
