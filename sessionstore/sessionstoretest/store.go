// Package sessionstoretest is what every store of records has to pass. A test
// of a store calls Run.
package sessionstoretest

import (
	"context"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// Store is what is tested.
type Store interface {
	Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error)
	Entries(ctx context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error
	Times(ctx context.Context, sel sessionstore.Selection, yield func(st *sessionstore.Stream, at int64) bool) error
	Counts(ctx context.Context, matchers []*labels.Matcher, cells sessionstore.Cells, yield func(st *sessionstore.Stream, cell int, c sessionstore.Count) bool) error
	Streams(ctx context.Context, matchers []*labels.Matcher, start, end int64) ([]*sessionstore.Stream, error)
	Volume(ctx context.Context, matchers []*labels.Matcher, start, end int64) (sessionstore.Volume, error)
	Subscribe() (committed <-chan struct{}, cancel func())
	Record(ctx context.Context, id string) (r *record.Record, bucket string, err error)
	Groups(ctx context.Context, q sessionstore.GroupQuery) ([]sessionstore.Group, error)
	Group(ctx context.Context, id string) (sessionstore.Group, error)
	ChangeGroup(ctx context.Context, id string, c sessionstore.Change) (sessionstore.Group, error)
	GroupHours(ctx context.Context, id string, since time.Time) ([]sessionstore.HourCount, error)
	GroupSamples(ctx context.Context, id string, limit int) ([]*record.Record, error)
	GroupStates(ctx context.Context) (map[sessionstore.State]int, error)
	Runs(ctx context.Context, q sessionstore.RunQuery) ([]sessionstore.Run, error)
	Hosts(ctx context.Context) ([]sessionstore.Host, error)
	CreateBucket(ctx context.Context, name string) (tok sessionstore.Token, secret string, err error)
	Buckets(ctx context.Context) ([]sessionstore.Bucket, error)
	RotateToken(ctx context.Context, bucket string, keepOld time.Duration) (tok sessionstore.Token, secret string, err error)
	RevokeToken(ctx context.Context, bucket, tokenID string) error
	Authenticate(ctx context.Context, secret string) (bucket string, err error)
	Sweep(ctx context.Context) error
	Check(ctx context.Context, repair bool) (sessionstore.Report, error)
	Close() error
}

// Options of a store under test.
type Options struct {
	Retention time.Duration
	Now       func() time.Time
}

// Opener opens an empty store. again closes it and opens it with what it holds.
type Opener func(t *testing.T, o Options) (s Store, again func() Store)

// Run runs the suite, each test in a store of its own.
func Run(t *testing.T, open Opener) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h *harness)
	}{
		{"records come back", testRoundTrip},
		{"same batch twice", testTwice},
		{"order and cursors", testOrder},
		{"hostile input", testHostile},
		{"times, streams and volume", testVolume},
		{"counts", testCounts},
		{"metadata alone", testMetadataAlone},
		{"many of one stream and time", testManyOfOne},
		{"subscribe", testSubscribe},
		{"counts of groups", testGroupCounts},
		{"resolved groups", testResolved},
		{"muted groups", testMuted},
		{"group queries", testGroupQueries},
		{"runs", testRuns},
		{"hosts", testHosts},
		{"names of buckets", testNames},
		{"tokens", testTokens},
		{"retention", testRetention},
		{"clock goes back", testClock},
		{"many at once", testConcurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := &harness{t: t, clock: newClock()}
			h.Store, h.again = open(t, Options{Retention: 30 * 24 * time.Hour, Now: h.clock.Now})
			test.run(t, h)
			report, err := h.Check(t.Context(), false)
			if err != nil || len(report.Problems) > 0 {
				t.Errorf("check of the store at the end: %+v, %v", report, err)
			}
		})
	}
}
