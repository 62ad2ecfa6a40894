package dashboards

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	promodel "github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/histogram"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	promvalue "github.com/prometheus/prometheus/model/value"
	"github.com/prometheus/prometheus/storage"
)

// scraped is a target as Prometheus knows it, with its series by the text that
// exposes them.
type scraped struct {
	labels []string
	series map[string]*scrapedSeries
	round  int
}

type scrapedSeries struct {
	ref   storage.SeriesRef
	round int // in which it was there last
	ended bool
}

func newScraped(labels ...string) *scraped {
	return &scraped{labels: labels, series: map[string]*scrapedSeries{}}
}

// scrape takes what a handler exposes, as Prometheus does, for all targets that
// show it: series that are gone are marked as ended, all of them when it fails.
func (w *world) scrape(t testing.TB, targets []*scraped, h http.Handler, now time.Time) {
	t.Helper()
	a := w.db.Appender(context.Background())
	body, kind, ok := fetch(h)
	samples := 0
	for _, target := range targets {
		target.round++
	}
	if ok {
		samples = appendAll(t, a, targets, body, kind, w.rules.Native, now)
	}
	for _, target := range targets {
		target.end(t, a, now)
		for name, v := range map[string]float64{
			"up": map[bool]float64{true: 1}[ok], "scrape_duration_seconds": 0.01, "scrape_samples_scraped": float64(samples),
		} {
			appendTo(t, a, now, v, append([]string{promodel.MetricNameLabel, name}, target.labels...)...)
		}
	}
	if err := a.Commit(); err != nil {
		t.Fatal(err)
	}
}

// fetch asks in protobuf: native histograms are in nothing else.
func fetch(h http.Handler) (body []byte, contentType string, ok bool) {
	defer func() {
		if recover() != nil { // a host that is off breaks the connection
			ok = false
		}
	}()
	r := httptest.NewRecorder()
	ask := httptest.NewRequest(http.MethodGet, "/metrics", nil)
	ask.Header.Set("Accept", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited")
	h.ServeHTTP(r, ask)
	return r.Body.Bytes(), r.Header().Get("Content-Type"), r.Code == http.StatusOK
}

func appendAll(t testing.TB, a storage.Appender, targets []*scraped, body []byte, contentType string, native bool, now time.Time) (n int) {
	t.Helper()
	p, err := textparse.New(body, contentType, labels.NewSymbolTable(), textparse.ParserOptions{IgnoreNativeHistograms: !native, KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		t.Fatal(err)
	}
	var family []byte // that is native
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatal(err)
		}
		if entry != textparse.EntrySeries && entry != textparse.EntryHistogram {
			continue
		}
		var name []byte
		var v float64
		var h *histogram.Histogram
		var fh *histogram.FloatHistogram
		if entry == textparse.EntryHistogram {
			name, _, h, fh = p.Histogram()
			family, _, _ = bytes.Cut(name, []byte{0xff})
		} else if name, _, v = p.Series(); len(family) > 0 && bytes.HasPrefix(name, append(bytes.Clone(family), '_')) {
			continue // the same in classic buckets: nobody is to need them
		}
		var slow []exemplar.Exemplar
		for one := (exemplar.Exemplar{}); p.Exemplar(&one); one = (exemplar.Exemplar{}) {
			slow = append(slow, one)
		}
		for _, target := range targets {
			ref, err := target.add(a, p, name, v, h, fh, now)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, one := range slow {
				_, _ = a.AppendExemplar(ref, labels.EmptyLabels(), one) // one of before is refused
			}
		}
		n++
	}
}

func (s *scraped) add(a storage.Appender, p textparse.Parser, name []byte, v float64, h *histogram.Histogram, fh *histogram.FloatHistogram, now time.Time) (ref storage.SeriesRef, err error) {
	one, known := s.series[string(name)]
	var own labels.Labels
	if !known {
		one, own = &scrapedSeries{}, s.complete(p)
		s.series[string(name)] = one
	}
	one.round, one.ended = s.round, false
	if h != nil || fh != nil {
		one.ref, err = a.AppendHistogram(one.ref, own, now.UnixMilli(), h, fh)
		return one.ref, err
	}
	one.ref, err = a.Append(one.ref, own, now.UnixMilli(), v)
	return one.ref, err
}

// end marks what was not in this round.
func (s *scraped) end(t testing.TB, a storage.Appender, now time.Time) {
	t.Helper()
	for _, one := range s.series {
		if one.round == s.round || one.ended {
			continue
		}
		one.ended = true
		if _, err := a.Append(one.ref, labels.EmptyLabels(), now.UnixMilli(), math.Float64frombits(promvalue.StaleNaN)); err != nil {
			t.Fatal(err)
		}
	}
}

// complete returns the labels of the series that the parser is at, with those of
// the target.
func (s *scraped) complete(p textparse.Parser) labels.Labels {
	var own labels.Labels
	p.Labels(&own)
	b := labels.NewBuilder(own)
	for i := 0; i < len(s.labels); i += 2 {
		b.Set(s.labels[i], s.labels[i+1])
	}
	if le := own.Get("le"); le != "" && le != "+Inf" && !strings.ContainsAny(le, ".e") {
		b.Set("le", le+".0") // as Prometheus 3 writes whole numbers
	}
	return b.Labels()
}

func appendTo(t testing.TB, a storage.Appender, now time.Time, v float64, pairs ...string) {
	t.Helper()
	if _, err := a.Append(0, labels.FromStrings(pairs...), now.UnixMilli(), v); err != nil {
		t.Fatal(err)
	}
}
