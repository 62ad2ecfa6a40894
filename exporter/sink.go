package exporter

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
)

// Sink takes the samples of one collector in one scrape. Only metrics of the
// catalog can be added, with the labels that it names. A value that is not a
// finite number is left out: absent, never 0.
type Sink struct {
	vocabulary *vocabulary
	families   map[string]*family
}

// family is a metric and its samples. It stays with its sink, so that the
// next scrape finds the room that this one needed.
type family struct {
	*word
	samples []sample
	// hists and their room: see histogram.go.
	hists []histogram
	cells []uint64
	notes []ledger.Exemplar
}

type sample struct {
	labels  Labels
	value   float64
	created int64 // of a counter or histogram, nanoseconds since 1970; 0: not known
	hist    int   // of a histogram: its index in hists
}

// word is a metric of the catalog as it is spelled in each format.
type word struct {
	name, help string
	kind       dto.MetricType
	text, open spelling
	bounds     []float64 // of a histogram's classic buckets
	native     bool      // it has exponential ones
}

// vocabulary is the catalog by name.
type vocabulary struct{ words map[string]*word }

func newVocabulary() *vocabulary {
	v := &vocabulary{words: map[string]*word{}}
	for _, m := range catalog.All() {
		w := &word{name: m.Name, help: m.Help, kind: dto.MetricType_GAUGE}
		switch m.Type {
		case catalog.Counter:
			w.kind = dto.MetricType_COUNTER
		case catalog.Histogram:
			w.kind, w.bounds, w.native = dto.MetricType_HISTOGRAM, m.Buckets, m.Native
		}
		w.text, w.open = spell(w)
		v.words[m.Name] = w
	}
	return v
}

func newSink(v *vocabulary) *Sink {
	return &Sink{vocabulary: v, families: map[string]*family{}}
}

// Gauge adds a sample of a gauge, info or state set.
func (s *Sink) Gauge(name string, value float64, labels Labels) {
	s.add(name, sample{labels: labels, value: value})
}

// Counter adds a sample of a counter that began at created.
func (s *Sink) Counter(name string, value float64, created time.Time, labels Labels) {
	x := sample{labels: labels, value: value}
	if !created.IsZero() {
		x.created = created.UnixNano()
	}
	s.add(name, x)
}

// add takes a sample. A name that the catalog lacks is a mistake in this
// package, which every test that scrapes would show.
func (s *Sink) add(name string, x sample) {
	if math.IsNaN(x.value) || math.IsInf(x.value, 0) {
		return
	}
	f := s.family(name)
	f.samples = append(f.samples, x)
}

func (s *Sink) family(name string) *family {
	f, ok := s.families[name]
	if !ok {
		w, known := s.vocabulary.words[name]
		if !known {
			panic(fmt.Sprintf("exporter: %s is not in the catalog", name))
		}
		f = &family{word: w}
		s.families[name] = f
	}
	return f
}

// reset empties the sink but keeps its room, unless that is far more than was
// needed.
func (s *Sink) reset() {
	for name, f := range s.families {
		if len(f.samples) < cap(f.samples)/8 {
			delete(s.families, name)
			continue
		}
		clear(f.samples)
		f.samples = f.samples[:0]
		clear(f.hists)
		clear(f.notes)
		f.hists, f.cells, f.notes = f.hists[:0], f.cells[:0], f.notes[:0]
	}
}

// sinks keeps sinks between scrapes, by collector.
type sinks struct {
	vocabulary *vocabulary
	mu         sync.Mutex
	free       map[string][]*Sink
}

// keptSinks is how many are kept of one collector: two servers may scrape at
// the same time.
const keptSinks = 2

func (s *sinks) get(name string) *Sink {
	s.mu.Lock()
	defer s.mu.Unlock()
	free := s.free[name]
	if len(free) == 0 {
		return newSink(s.vocabulary)
	}
	s.free[name] = free[:len(free)-1]
	return free[len(free)-1]
}

// put takes a sink back that nobody uses any more.
func (s *sinks) put(name string, sink *Sink) {
	sink.reset()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free[name]) < keptSinks {
		s.free[name] = append(s.free[name], sink)
	}
}

// dto is the family as client_golang has it.
func (f *family) dto() *dto.MetricFamily {
	if f.kind == dto.MetricType_HISTOGRAM {
		return f.histogramDTO()
	}
	type exposed struct {
		metric  dto.Metric
		gauge   dto.Gauge
		counter dto.Counter
		created timestamppb.Timestamp
		value   float64
	}
	all := make([]exposed, len(f.samples)) // one allocation for many
	out := &dto.MetricFamily{Name: &f.name, Help: &f.help, Type: &f.kind, Metric: make([]*dto.Metric, len(all))}
	for i, s := range f.samples {
		x := &all[i]
		x.value = s.value
		if s.labels != nil {
			x.metric.Label = s.labels.pairs
		}
		if f.kind == dto.MetricType_COUNTER {
			x.counter.Value = &x.value
			x.metric.Counter = &x.counter
			if s.created != 0 {
				x.created.Seconds, x.created.Nanos = s.created/1e9, int32(s.created%1e9)
				x.counter.CreatedTimestamp = &x.created
			}
		} else {
			x.gauge.Value = &x.value
			x.metric.Gauge = &x.gauge
		}
		out.Metric[i] = &x.metric
	}
	return out
}

func byName(a, b *family) int { return strings.Compare(a.name, b.name) }
