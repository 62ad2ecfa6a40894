package exporter

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

// Texts are written here and not by expfmt, whose bytes they equal, because
// the labels of a sample are spelled once and not at each scrape: that is most
// of what a scrape costs.

// spelling is a metric's name in a text format.
type spelling struct {
	head            string // the lines of comment
	sample, created string // the names of samples
	bucket          string // of a histogram
	sum, count      string
	le              []string // its bounds, and +Inf, as the value of the label
}

// spell returns the spellings in Prometheus' text format and in OpenMetrics.
func spell(w *word) (text, open spelling) {
	kind, family := " gauge\n", w.name
	switch w.kind {
	case dto.MetricType_COUNTER:
		kind, family = " counter\n", strings.TrimSuffix(w.name, "_total")
	case dto.MetricType_HISTOGRAM:
		kind = " histogram\n"
	}
	help := strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	text = spelling{head: "# HELP " + w.name + " " + help.Replace(w.help) + "\n# TYPE " + w.name + kind, sample: w.name}
	open = spelling{
		head:   "# HELP " + family + " " + valueEscapes.Replace(w.help) + "\n# TYPE " + family + kind,
		sample: w.name, created: family + "_created",
	}
	for _, s := range []*spelling{&text, &open} {
		s.bucket, s.sum, s.count = w.name+"_bucket", w.name+"_sum", w.name+"_count"
	}
	for _, bound := range w.bounds {
		text.le = append(text.le, string(appendNumber(nil, bound, false)))
		open.le = append(open.le, string(appendNumber(nil, bound, true)))
	}
	text.le, open.le = append(text.le, "+Inf"), append(open.le, "+Inf")
	return text, open
}

// valueEscapes is how both formats escape the value of a label.
var valueEscapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// spellLabels returns pairs as both formats have them.
func spellLabels(pairs []*dto.LabelPair) string {
	var b strings.Builder
	for i, p := range pairs {
		b.WriteByte("{,"[min(i, 1)])
		b.WriteString(*p.Name)
		b.WriteString(`="`)
		_, _ = valueEscapes.WriteString(&b, *p.Value) // a Builder takes everything
		b.WriteByte('"')
	}
	if len(pairs) > 0 {
		b.WriteByte('}')
	}
	return b.String()
}

// encoder writes an answer in one of the text formats. After an error it
// writes nothing more.
type encoder struct {
	out  io.Writer
	open bool // OpenMetrics
	when bool // with lines of created timestamps, in OpenMetrics
	buf  []byte
	err  error

	createdAt int64 // what created spells
	created   []byte
}

// encoders keeps the room of encoders between scrapes.
var encoders = sync.Pool{New: func() any { return &encoder{buf: make([]byte, 0, flushAt+4096)} }}

func (e *encoder) begin(out io.Writer, open, when bool) {
	e.out, e.open, e.when, e.buf, e.err = out, open, when, e.buf[:0], nil
	e.createdAt = 0
}

// flushAt is how many bytes are sent at once.
const flushAt = 64 << 10

func (e *encoder) family(f *family) {
	names := &f.text
	if e.open {
		names = &f.open
	}
	e.buf = append(e.buf, names.head...)
	for i := range f.samples {
		s := &f.samples[i]
		if f.kind == dto.MetricType_HISTOGRAM {
			e.histogram(names, s.labels, &f.hists[s.hist])
		} else {
			e.buf = append(e.buf, names.sample...)
			e.labels(s.labels)
			e.buf = append(e.number(e.buf, s.value), '\n')
		}
		if e.open && e.when && s.created != 0 && f.kind != dto.MetricType_GAUGE {
			e.buf = append(e.buf, names.created...)
			e.labels(s.labels)
			if s.created != e.createdAt {
				e.createdAt, e.created = s.created, e.number(e.created[:0], float64(s.created)/1e9)
			}
			e.buf = append(append(e.buf, e.created...), '\n')
		}
		e.flush(flushAt)
	}
}

func (e *encoder) labels(l Labels) {
	if l != nil {
		e.buf = append(e.buf, l.text...)
	}
	e.buf = append(e.buf, ' ')
}

// number spells a finite number.
func (e *encoder) number(b []byte, v float64) []byte { return appendNumber(b, v, e.open) }

func appendNumber(b []byte, v float64, open bool) []byte {
	switch {
	case v == 0 && open:
		return append(b, "0.0"...)
	case v == 1 && open:
		return append(b, "1.0"...)
	case v == 0:
		return append(b, '0')
	case v == 1:
		return append(b, '1')
	}
	at := len(b)
	b = strconv.AppendFloat(b, v, 'g', -1, 64)
	if open && !bytes.ContainsAny(b[at:], "e.") {
		b = append(b, ".0"...)
	}
	return b
}

// foreign writes a family of another source.
func (e *encoder) foreign(f *dto.MetricFamily) {
	var err error
	if e.open {
		var options []expfmt.EncoderOption
		if e.when {
			options = append(options, expfmt.WithCreatedLines())
		}
		_, err = expfmt.MetricFamilyToOpenMetrics(e, f, options...)
	} else {
		_, err = expfmt.MetricFamilyToText(e, f)
	}
	if err != nil && e.err == nil {
		e.err = err
	}
	e.flush(flushAt)
}

// end writes what is left.
func (e *encoder) end() error {
	if e.open {
		e.buf = append(e.buf, "# EOF\n"...)
	}
	e.flush(1)
	e.out = nil
	return e.err
}

func (e *encoder) flush(atLeast int) {
	if len(e.buf) < atLeast {
		return
	}
	if e.err == nil {
		_, e.err = e.out.Write(e.buf)
	}
	e.buf = e.buf[:0]
}

// Write, WriteString and WriteByte are for expfmt; what they take is sent
// later.
func (e *encoder) Write(b []byte) (int, error) {
	e.buf = append(e.buf, b...)
	return len(b), nil
}

// WriteString is Write for a string.
func (e *encoder) WriteString(s string) (int, error) {
	e.buf = append(e.buf, s...)
	return len(s), nil
}

// WriteByte is Write for one byte.
func (e *encoder) WriteByte(b byte) error {
	e.buf = append(e.buf, b)
	return nil
}
