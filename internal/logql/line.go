package logql

import (
	"slices"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
)

// Labels that tell of what went wrong in a pipeline, and what they say.
const (
	labelError        = "__error__"
	labelErrorDetails = "__error_details__"

	errorJSON     = "JSONParserErr"
	errorLogfmt   = "LogfmtParserErr"
	errorFilter   = "LabelFilterErr"
	errorTemplate = "TemplateFormatErr"
	errorSample   = "SampleExtractionErr"
)

// origin is where a label comes from.
type origin uint8

const (
	fromStream origin = iota
	fromMetadata
	fromParser
)

type lineLabel struct {
	name, value string
	from        origin
}

// A line is a log line on its way through a pipeline. One is used for all lines
// of a query, one after the other.
type line struct {
	at     int64
	text   string
	labels []lineLabel
	failed bool // has an error label
}

// reset begins with a stream's labels and an entry's metadata.
func (l *line) reset(at int64, text string, stream []lineLabel, metadata []record.Pair) {
	l.at, l.text, l.failed = at, text, false
	l.labels = append(l.labels[:0], stream...)
	for _, m := range metadata {
		name := m.Name
		if l.find(name) >= 0 {
			name += "_extracted"
		}
		l.labels = append(l.labels, lineLabel{name, m.Value, fromMetadata})
	}
}

func (l *line) find(name string) int {
	for i := range l.labels {
		if l.labels[i].name == name {
			return i
		}
	}
	return -1
}

func (l *line) get(name string) (string, bool) {
	if i := l.find(name); i >= 0 {
		return l.labels[i].value, true
	}
	return "", false
}

// set makes a label one of the parsed.
func (l *line) set(name, value string) {
	if i := l.find(name); i >= 0 {
		l.labels[i].value, l.labels[i].from = value, fromParser
		return
	}
	l.labels = append(l.labels, lineLabel{name, value, fromParser})
}

func (l *line) del(name string) {
	if i := l.find(name); i >= 0 {
		l.labels = slices.Delete(l.labels, i, i+1)
	}
	if name == labelError {
		l.failed = false
	}
}

// extract adds a parsed label; a label of the stream or the metadata keeps its
// name, and of a label that is parsed twice the first stays.
func (l *line) extract(name, value string) {
	if name == "" {
		return
	}
	if i := l.find(name); i >= 0 && l.labels[i].from != fromParser {
		name += "_extracted"
	}
	if i := l.find(name); i >= 0 {
		return
	}
	l.labels = append(l.labels, lineLabel{name, value, fromParser})
}

// fail marks the line; the first error stays.
func (l *line) fail(kind, details string) {
	if l.failed {
		return
	}
	l.failed = true
	l.set(labelError, kind)
	if details != "" {
		l.set(labelErrorDetails, strings.ToValidUTF8(clip(details, 200), "�"))
	}
}

// sorted puts the labels in order. Empty ones stay, as in Loki: a parser found
// them.
func (l *line) sorted() []lineLabel {
	slices.SortFunc(l.labels, func(a, b lineLabel) int { return strings.Compare(a.name, b.name) })
	return l.labels
}

// streamLabels is the beginning of a line of a stream.
func streamLabels(ls labels.Labels) []lineLabel {
	out := make([]lineLabel, 0, ls.Len())
	ls.Range(func(l labels.Label) {
		if l.Value != "" {
			out = append(out, lineLabel{l.Name, l.Value, fromStream})
		}
	})
	return out
}

// appendKey makes a key of labels that are in order.
func appendKey(key []byte, ls []lineLabel) []byte {
	for _, l := range ls {
		key = append(key, l.name...)
		key = append(key, 0xff, byte('0'+l.from))
		key = append(key, l.value...)
		key = append(key, 0xff)
	}
	return key
}

func toLabels(ls []lineLabel) labels.Labels {
	b := labels.NewScratchBuilder(len(ls))
	for _, l := range ls {
		b.Add(strings.Clone(l.name), strings.Clone(l.value))
	}
	b.Sort()
	return b.Labels()
}
