package logql_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// steady yields the same few records again and again, at no cost of its own.
type steady struct{ entries []*sessionstore.Entry }

const steadyCount = 100_000

func newSteady() *steady {
	s := &steady{}
	line := `{"event":"order","n":17,"took":"35ms","user":{"id":5},"text":"` + strings.Repeat("x", 500) + `"}`
	for i := range 50 {
		stream := &sessionstore.Stream{ID: int64(i % 10), Labels: labels.FromStrings("app", fmt.Sprint("app", i%10), "bucket", "b", "daemon", "deploy", "host", "h", "kind", "event", "level", "info", "pm2_namespace", "default")}
		s.entries = append(s.entries, &sessionstore.Entry{Stream: stream, Line: line, Metadata: []record.Pair{
			{Name: "fingerprint", Value: fmt.Sprint("f", i%25)}, {Name: "occurrences", Value: "3"}, {Name: "pm_id", Value: "1"}, {Name: "version", Value: "1"},
		}})
	}
	return s
}

func (s *steady) Entries(_ context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error {
	for i := range int64(steadyCount) {
		e := *s.entries[i%50]
		e.At = sel.Start + (sel.End-sel.Start)*i/steadyCount
		if !yield(&e) {
			break
		}
	}
	return nil
}

func (s *steady) Times(_ context.Context, sel sessionstore.Selection, yield func(*sessionstore.Stream, int64) bool) error {
	for i := range int64(steadyCount) {
		if !yield(s.entries[i%50].Stream, sel.Start+(sel.End-sel.Start)*i/steadyCount) {
			break
		}
	}
	return nil
}

// BenchmarkQueries is what the engine itself costs, for 100 000 records each.
func BenchmarkQueries(b *testing.B) {
	engine, err := logql.New(logql.Options{Source: newSteady(), StreamLabels: []string{"app", "bucket", "level"}})
	if err != nil {
		b.Fatal(err)
	}
	for _, query := range []string{
		`sum by (app) (count_over_time({bucket="b"}[5m]))`,
		`sum by (fingerprint) (count_over_time({bucket="b"}[5m]))`,
		`sum by (app) (sum_over_time({bucket="b"} | unwrap occurrences [5m]))`,
		`count_over_time({bucket="b"}[5m])`,
		`sum by (app) (count_over_time({bucket="b"} |= "order" [5m]))`,
		`sum by (user_id) (count_over_time({bucket="b"} | json [5m]))`,
		`{bucket="b"} | fingerprint="none"`,
	} {
		b.Run(query, func(b *testing.B) {
			expr, err := logql.Parse(query)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				_, err := engine.Range(context.Background(), expr, logql.Params{Start: origin, End: origin + int64(6*time.Hour), Step: time.Minute, Limit: 100})
				if err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/steadyCount, "ns/record")
		})
	}
}
