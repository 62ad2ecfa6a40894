package lokiapi

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/record"
)

// An answer is JSON that is written piece by piece. Results end early where they
// are larger than max, which is then no JSON.
type answer struct {
	b   bytes.Buffer
	max int64 // 0: any
}

func (a *answer) tooLarge() bool { return a.max > 0 && int64(a.b.Len()) > a.max }

// encode writes v, which has no channels or functions in it.
func encode(v any) (*answer, error) {
	var a answer
	enc := json.NewEncoder(&a.b)
	enc.SetEscapeHTML(false)
	return &a, enc.Encode(v)
}

func (a *answer) raw(s string) { a.b.WriteString(s) }

// text writes a string of JSON; bytes that are no UTF-8 are replaced.
func (a *answer) text(s string) {
	enc := json.NewEncoder(&a.b)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(s)           // a string always has JSON
	a.b.Truncate(a.b.Len() - 1) // the newline
}

func (a *answer) labels(ls labels.Labels) {
	a.raw("{")
	first := true
	ls.Range(func(l labels.Label) {
		if !first {
			a.raw(",")
		}
		first = false
		a.text(l.Name)
		a.raw(":")
		a.text(l.Value)
	})
	a.raw("}")
}

func (a *answer) pairs(pairs []record.Pair) {
	a.raw("{")
	for i, p := range pairs {
		if i > 0 {
			a.raw(",")
		}
		a.text(p.Name)
		a.raw(":")
		a.text(p.Value)
	}
	a.raw("}")
}

// streams writes log lines. With categorize each has a third element: which of
// its labels are structured metadata, and which were parsed.
func (a *answer) streams(streams []*logql.LogStream, categorize bool) {
	a.raw("[")
	for i, s := range streams {
		if i > 0 {
			a.raw(",")
		}
		a.raw(`{"stream":`)
		var third answer
		if categorize {
			a.labels(s.Stream)
			third.categories(s)
		} else {
			a.labels(s.Labels)
		}
		a.raw(`,"values":[`)
		for j, e := range s.Entries {
			if a.tooLarge() {
				return
			}
			if j > 0 {
				a.raw(",")
			}
			a.raw(`["` + strconv.FormatInt(e.At, 10) + `",`)
			a.text(e.Line)
			a.b.Write(third.b.Bytes())
			a.raw("]")
		}
		a.raw("]}")
	}
	a.raw("]")
}

func (a *answer) categories(s *logql.LogStream) {
	a.raw(",{")
	if len(s.Metadata) > 0 {
		a.raw(`"structuredMetadata":`)
		a.pairs(s.Metadata)
	}
	if len(s.Parsed) > 0 {
		if len(s.Metadata) > 0 {
			a.raw(",")
		}
		a.raw(`"parsed":`)
		a.pairs(s.Parsed)
	}
	a.raw("}")
}

// point writes [seconds,"value"].
func (a *answer) point(p logql.Point) {
	a.raw("[" + seconds(p.At) + `,"` + value(p.Value) + `"]`)
}

// seconds to the millisecond, as Prometheus writes times.
func seconds(ns int64) string {
	return strconv.FormatFloat(float64(ns/1e6)/1e3, 'f', -1, 64)
}

func value(v float64) string {
	if math.IsInf(v, 1) {
		return "+Inf"
	}
	return strconv.FormatFloat(v, 'f', -1, 64)
}

// result writes the answer to a query.
func (a *answer) result(r *logql.Result, categorize bool) {
	a.raw(`{"status":"success","data":{"resultType":"` + string(r.Type) + `",`)
	if categorize && r.Type == logql.Streams {
		a.raw(`"encodingFlags":["` + flagCategorize + `"],`)
	}
	a.raw(`"result":`)
	switch r.Type {
	case logql.Streams:
		a.streams(r.Streams, categorize)
	case logql.Scalar:
		a.point(r.Series[0].Points[0])
	default:
		a.samples(r)
	}
	a.raw(`,"stats":`)
	a.stats(r.Stats)
	a.raw("}}\n")
}

func (a *answer) samples(r *logql.Result) {
	a.raw("[")
	for i, s := range r.Series {
		if i > 0 {
			a.raw(",")
		}
		a.raw(`{"metric":`)
		a.labels(s.Labels)
		if r.Type == logql.Vector {
			a.raw(`,"value":`)
			a.point(s.Points[0])
			a.raw("}")
			continue
		}
		a.raw(`,"values":[`)
		if a.tooLarge() {
			return
		}
		for j, p := range s.Points {
			if j > 0 {
				a.raw(",")
			}
			a.point(p)
		}
		a.raw("]}")
	}
	a.raw("]")
}

// stats writes what Loki says of a query, as far as it means something here.
func (a *answer) stats(s logql.Stats) {
	took := s.Time.Seconds()
	per := func(n int64) int64 {
		if took <= 0 {
			return 0
		}
		return int64(float64(n) / took)
	}
	summary, _ := json.Marshal(map[string]any{ // numbers always have JSON
		"bytesProcessedPerSecond": per(s.Bytes), "linesProcessedPerSecond": per(s.Entries),
		"totalBytesProcessed": s.Bytes, "totalLinesProcessed": s.Entries,
		"execTime": took, "queueTime": 0, "subqueries": 0, "splits": 0, "shards": 0,
		"totalEntriesReturned": s.Returned, "totalPostFilterLines": s.Returned,
		"totalStructuredMetadataBytesProcessed": 0,
	})
	a.raw(`{"summary":` + string(summary) + `,"querier":{"store":{"chunk":{}}},"ingester":{"store":{"chunk":{}}},"cache":{}}`)
}
