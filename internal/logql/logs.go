package logql

import (
	"slices"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// logs answers a log query.
func (q *query) logs(e *LogExpr, p Params) (*Result, error) {
	pipeline := NewPipeline(e)
	streams := newStreamSet()
	left, last, bytes := p.Limit, int64(-1), int64(0)
	err := q.entries(sessionstore.Selection{Matchers: e.Matchers, Start: p.Start, End: p.End, Backward: p.Backward}, func(entry *sessionstore.Entry) bool {
		if left <= 0 {
			return false
		}
		if last >= 0 && p.Interval > 0 {
			between := entry.At - last
			if p.Backward {
				between = -between
			}
			if between < int64(p.Interval) {
				return true
			}
		}
		if !pipeline.run(entry) {
			return true
		}
		last = entry.At
		left--
		line := streams.add(&pipeline.program.line)
		if bytes += int64(len(line)); bytes > q.limits.MaxResult {
			q.failed = overLimit("the answer is larger than %d bytes (max_result): ask for fewer lines", q.limits.MaxResult)
		}
		return q.failed == nil && left > 0
	})
	if err != nil {
		return nil, err
	}
	q.stats.Returned = int64(p.Limit - left)
	return &Result{Type: Streams, Streams: streams.sorted()}, nil
}

// Pipeline runs the stages of a log query over entries, one after the other. It
// is for one goroutine.
type Pipeline struct {
	program *program
	streams map[*sessionstore.Stream][]lineLabel
}

// NewPipeline returns the pipeline of e.
func NewPipeline(e *LogExpr) *Pipeline {
	return &Pipeline{program: newProgram(e.Stages), streams: map[*sessionstore.Stream][]lineLabel{}}
}

func (p *Pipeline) run(e *sessionstore.Entry) bool {
	p.program.line.reset(e.At, e.Line, p.stream(e.Stream), e.Metadata)
	return p.program.run()
}

// stream keeps what a line of a stream begins with.
func (p *Pipeline) stream(s *sessionstore.Stream) []lineLabel {
	ls, ok := p.streams[s]
	if !ok {
		if len(p.streams) >= 10_000 {
			clear(p.streams)
		}
		ls = streamLabels(s.Labels)
		p.streams[s] = ls
	}
	return ls
}

// Run takes entries through the pipeline and groups what is left by its labels,
// in the order of the labels.
func (p *Pipeline) Run(entries []*sessionstore.Entry) []*LogStream {
	streams := newStreamSet()
	for _, e := range entries {
		if p.run(e) {
			streams.add(&p.program.line)
		}
	}
	return streams.sorted()
}

// streamSet groups lines by their labels.
type streamSet struct {
	known map[string]*LogStream
	key   []byte
}

func newStreamSet() *streamSet { return &streamSet{known: map[string]*LogStream{}} }

// add returns the line as it was added.
func (s *streamSet) add(l *line) string {
	ls := l.sorted()
	s.key = appendKey(s.key[:0], ls)
	stream := s.known[string(s.key)]
	if stream == nil {
		stream = newLogStream(ls)
		s.known[string(s.key)] = stream
	}
	stream.Entries = append(stream.Entries, LogEntry{l.at, l.text})
	return l.text
}

func newLogStream(ls []lineLabel) *LogStream {
	s := &LogStream{Labels: toLabels(ls)}
	own := labels.NewScratchBuilder(len(ls))
	for _, l := range ls {
		switch l.from {
		case fromStream:
			own.Add(l.name, l.value)
		case fromMetadata:
			s.Metadata = append(s.Metadata, record.Pair{Name: l.name, Value: l.value})
		default:
			s.Parsed = append(s.Parsed, record.Pair{Name: l.name, Value: l.value})
		}
	}
	own.Sort()
	s.Stream = own.Labels()
	return s
}

func (s *streamSet) sorted() []*LogStream {
	out := make([]*LogStream, 0, len(s.known))
	for _, stream := range s.known {
		out = append(out, stream)
	}
	slices.SortFunc(out, func(a, b *LogStream) int {
		if order := labels.Compare(a.Labels, b.Labels); order != 0 {
			return order
		}
		return labels.Compare(a.Stream, b.Stream)
	})
	return out
}
