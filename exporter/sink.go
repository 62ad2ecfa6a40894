package exporter

import (
	"fmt"
	"math"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/pm25/pm25/internal/catalog"
)

// Sink takes the samples of one collector in one scrape. Only metrics of the
// catalog can be added, with the labels that it names. A value that is not a
// finite number is left out: absent, never 0.
type Sink struct {
	vocabulary *vocabulary
	families   map[string]*dto.MetricFamily
	free       []sample
}

// sample holds what one exposed number needs, in one allocation with many
// others.
type sample struct {
	metric  dto.Metric
	gauge   dto.Gauge
	counter dto.Counter
	created timestamppb.Timestamp
	value   float64
}

// slab is how many samples are allocated together.
const slab = 256

// vocabulary is the catalog by name.
type vocabulary struct{ metrics map[string]catalog.Metric }

func newVocabulary() *vocabulary {
	v := &vocabulary{metrics: map[string]catalog.Metric{}}
	for _, m := range catalog.All() {
		v.metrics[m.Name] = m
	}
	return v
}

func newSink(v *vocabulary) *Sink {
	return &Sink{vocabulary: v, families: map[string]*dto.MetricFamily{}}
}

// Gauge adds a sample of a gauge, info or state set.
func (s *Sink) Gauge(name string, value float64, labels Labels) {
	if x := s.add(name, value, labels); x != nil {
		x.gauge.Value = &x.value
		x.metric.Gauge = &x.gauge
	}
}

// Counter adds a sample of a counter that began at created.
func (s *Sink) Counter(name string, value float64, created time.Time, labels Labels) {
	x := s.add(name, value, labels)
	if x == nil {
		return
	}
	x.counter.Value = &x.value
	if !created.IsZero() {
		x.created.Seconds, x.created.Nanos = created.Unix(), int32(created.Nanosecond())
		x.counter.CreatedTimestamp = &x.created
	}
	x.metric.Counter = &x.counter
}

func (s *Sink) add(name string, value float64, labels Labels) *sample {
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return nil
	}
	family, ok := s.families[name]
	if !ok {
		family = s.vocabulary.family(name)
		s.families[name] = family
	}
	if len(s.free) == 0 {
		s.free = make([]sample, slab)
	}
	x := &s.free[0]
	s.free = s.free[1:]
	x.value = value
	x.metric.Label = labels
	family.Metric = append(family.Metric, &x.metric)
	return x
}

// family makes an empty family. A name that the catalog lacks is a mistake in
// this package, which every test that scrapes would show.
func (v *vocabulary) family(name string) *dto.MetricFamily {
	m, ok := v.metrics[name]
	if !ok {
		panic(fmt.Sprintf("exporter: %s is not in the catalog", name))
	}
	kind := dto.MetricType_GAUGE
	if m.Type == catalog.Counter {
		kind = dto.MetricType_COUNTER
	}
	return &dto.MetricFamily{Name: &m.Name, Help: &m.Help, Type: &kind}
}
