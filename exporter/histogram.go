package exporter

import (
	"math"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
)

const (
	// zeroThreshold is below the first exponential bucket.
	zeroThreshold = 1.0 / (1 << 40)
	// maxGap is how many empty buckets a span bridges: a span of its own costs
	// more than two of them.
	maxGap = 2
	// recordID is the label of an exemplar: the id of the record of that
	// request.
	recordID = "record_id"
)

// Histogram is a histogram as a collector has it. The sink keeps none of it.
type Histogram struct {
	Count   uint64
	Sum     float64
	Classic []uint64 // not cumulative, one for each bound of the catalog
	// Native are the exponential buckets from the index Offset on, and Zero
	// those below; where the catalog says that there are some.
	Zero      uint64
	Offset    int
	Native    []uint64
	Exemplars []ledger.Exemplar // in order of their buckets
}

// histogram is a Histogram in a sink.
type histogram = Histogram

// Histogram adds a histogram that began at created.
func (s *Sink) Histogram(name string, h Histogram, created time.Time, labels Labels) {
	if math.IsNaN(h.Sum) || math.IsInf(h.Sum, 0) {
		return
	}
	f := s.family(name)
	x := sample{labels: labels, hist: len(f.hists)}
	if !created.IsZero() {
		x.created = created.UnixNano()
	}
	h.Classic = f.keep(h.Classic)
	h.Native = f.keep(h.Native)
	at := len(f.notes)
	f.notes = append(f.notes, h.Exemplars...)
	h.Exemplars = f.notes[at:len(f.notes):len(f.notes)]
	f.hists = append(f.hists, h)
	f.samples = append(f.samples, x)
}

func (f *family) keep(cells []uint64) []uint64 {
	at := len(f.cells)
	f.cells = append(f.cells, cells...)
	return f.cells[at:len(f.cells):len(f.cells)]
}

// histogram writes a histogram in a text format: its classic buckets, and in
// OpenMetrics their exemplars.
func (e *encoder) histogram(names *spelling, l Labels, h *histogram) {
	total := uint64(0)
	exemplars := h.Exemplars
	for i, le := range names.le {
		if i < len(h.Classic) {
			total += h.Classic[i]
		} else {
			total = h.Count
		}
		e.buf = append(e.buf, names.bucket...)
		e.bucketLabels(l, le)
		e.count(total)
		if len(exemplars) > 0 && exemplars[0].Bucket == i {
			if e.open {
				e.exemplar(&exemplars[0])
			}
			exemplars = exemplars[1:]
		}
		e.buf = append(e.buf, '\n')
	}
	e.buf = append(e.buf, names.sum...)
	e.labels(l)
	e.buf = append(e.number(e.buf, h.Sum), '\n')
	e.buf = append(e.buf, names.count...)
	e.labels(l)
	e.count(h.Count)
	e.buf = append(e.buf, '\n')
}

func (e *encoder) bucketLabels(l Labels, le string) {
	if l == nil || l.text == "" {
		e.buf = append(e.buf, '{')
	} else {
		e.buf = append(e.buf, l.text[:len(l.text)-1]...)
		e.buf = append(e.buf, ',')
	}
	e.buf = append(e.buf, `le="`...)
	e.buf = append(e.buf, le...)
	e.buf = append(e.buf, `"} `...)
}

// count spells a count: OpenMetrics has whole numbers for them, the other
// format has not.
func (e *encoder) count(n uint64) {
	if e.open {
		e.buf = strconv.AppendUint(e.buf, n, 10)
	} else {
		e.buf = e.number(e.buf, float64(n))
	}
}

func (e *encoder) exemplar(x *ledger.Exemplar) {
	e.buf = append(e.buf, ` # {`+recordID+`="`...)
	e.buf = append(e.buf, x.ID...) // a UUID: nothing to escape
	e.buf = append(e.buf, `"} `...)
	e.buf = append(e.number(e.buf, x.Seconds), ' ')
	e.buf = e.number(e.buf, float64(x.At.UnixNano())/1e9)
}

// histogramDTO is the family as client_golang has it.
func (f *family) histogramDTO() *dto.MetricFamily {
	type exposed struct {
		metric  dto.Metric
		hist    dto.Histogram
		created timestamppb.Timestamp
		count   uint64
		sum     float64
		zero    uint64
	}
	all := make([]exposed, len(f.samples)) // the sink may be emptied before it is sent
	buckets := make([]dto.Bucket, len(f.samples)*(len(f.bounds)+1))
	out := &dto.MetricFamily{Name: &f.name, Help: &f.help, Type: &f.kind, Metric: make([]*dto.Metric, len(all))}
	for i, s := range f.samples {
		x, h := &all[i], &f.hists[s.hist]
		if s.labels != nil {
			x.metric.Label = s.labels.pairs
		}
		x.count, x.sum, x.zero = h.Count, h.Sum, h.Zero
		x.hist.SampleCount, x.hist.SampleSum = &x.count, &x.sum
		if s.created != 0 {
			x.created.Seconds, x.created.Nanos = s.created/1e9, int32(s.created%1e9)
			x.hist.CreatedTimestamp = &x.created
		}
		f.classicDTO(&x.hist, h, buckets[i*(len(f.bounds)+1):][:len(f.bounds)+1])
		if f.native {
			x.hist.ZeroCount = &x.zero
			nativeDTO(&x.hist, h)
		}
		x.metric.Histogram = &x.hist
		out.Metric[i] = &x.metric
	}
	return out
}

// classicDTO fills in the classic buckets. The one without an upper bound is
// there for its exemplar only.
func (f *family) classicDTO(out *dto.Histogram, h *histogram, buckets []dto.Bucket) {
	totals := make([]uint64, len(buckets))
	exemplars := h.Exemplars
	total := uint64(0)
	for i := range buckets {
		b := &buckets[i]
		inf := i == len(f.bounds)
		if inf {
			b.UpperBound, total = proto.Float64(math.Inf(1)), h.Count
		} else {
			b.UpperBound, total = &f.bounds[i], total+h.Classic[i]
		}
		totals[i] = total
		b.CumulativeCount = &totals[i]
		if len(exemplars) > 0 && exemplars[0].Bucket == i {
			b.Exemplar = exemplarDTO(&exemplars[0])
			exemplars = exemplars[1:]
		}
		if !inf || b.Exemplar != nil {
			out.Bucket = append(out.Bucket, b)
		}
	}
}

// nativeDTO fills in the exponential buckets.
func nativeDTO(out *dto.Histogram, h *histogram) {
	out.Schema = proto.Int32(pm2.ReportSchema)
	out.ZeroThreshold = proto.Float64(zeroThreshold)
	var span *dto.BucketSpan
	end, before := 0, int64(0) // behind the last span, and the count of its last bucket
	for i, n := range h.Native {
		if n == 0 {
			continue
		}
		index := h.Offset + i
		if span == nil || index-end > maxGap {
			span = &dto.BucketSpan{Offset: proto.Int32(int32(index - end)), Length: proto.Uint32(0)}
			out.PositiveSpan = append(out.PositiveSpan, span)
			end = index
		}
		for ; end < index; end++ {
			*span.Length++
			out.PositiveDelta = append(out.PositiveDelta, -before)
			before = 0
		}
		*span.Length++
		out.PositiveDelta = append(out.PositiveDelta, int64(n)-before)
		before = int64(n)
		end++
	}
	for _, b := range out.Bucket {
		if b.Exemplar != nil {
			out.Exemplars = append(out.Exemplars, b.Exemplar)
		}
	}
}

func exemplarDTO(x *ledger.Exemplar) *dto.Exemplar {
	return &dto.Exemplar{
		Label: []*dto.LabelPair{{Name: proto.String(recordID), Value: proto.String(x.ID)}},
		Value: proto.Float64(x.Seconds), Timestamp: timestamppb.New(x.At),
	}
}
