package exporter

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
)

// expand returns the exponential buckets of a histogram by index.
func expand(h *dto.Histogram) map[int]uint64 {
	out := map[int]uint64{}
	index, n, next := 0, int64(0), 0
	for _, span := range h.PositiveSpan {
		index += int(span.GetOffset())
		for range span.GetLength() {
			n += h.PositiveDelta[next]
			next++
			if n != 0 {
				out[index] = uint64(n)
			}
			index++
		}
	}
	if next != len(h.PositiveDelta) {
		return nil
	}
	return out
}

// TestNativeBucketsComeBack: spans and deltas say what was counted.
func TestNativeBucketsComeBack(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		h := Histogram{Offset: rnd.IntN(200) - 150, Native: make([]uint64, rnd.IntN(60)), Classic: make([]uint64, 13)}
		want := map[int]uint64{}
		for i := range h.Native {
			if rnd.IntN(3) == 0 {
				h.Native[i] = rnd.Uint64N(1000) + 1
				want[h.Offset+i] = h.Native[i]
				h.Count += h.Native[i]
			}
		}
		sink := newSink(newVocabulary())
		sink.Histogram(catalog.HTTPRequestDuration, h, now, nil)
		got := sink.families[catalog.HTTPRequestDuration].dto().Metric[0].Histogram
		if diff := cmp.Diff(want, expand(got)); diff != "" {
			t.Fatalf("%v: %s", h.Native, diff)
		}
		for _, span := range got.PositiveSpan[min(1, len(got.PositiveSpan)):] {
			if span.GetOffset() <= maxGap {
				t.Errorf("a span for a gap of %d", span.GetOffset())
			}
		}
	}
}

// answer scrapes in one of the formats.
func answer(t *testing.T, h http.Handler, accept string) []byte {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil)
	r.Header.Set("Accept", accept)
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("status %d", w.Code)
	}
	return w.Body.Bytes()
}

// TestTheFormatsAgree: protobuf, OpenMetrics and text tell of the same
// requests, and each of the two histograms holds all of them.
func TestTheFormatsAgree(t *testing.T) {
	daemons, source := twoDaemons(t)
	h := newExporter(t, daemons, source).Handler(HandlerOptions{})
	plain := string(answer(t, h, "text/plain"))
	open := string(answer(t, h, "application/openmetrics-text; version=1.0.0"))
	dec := expfmt.NewDecoder(bytes.NewReader(answer(t, h, protobufAccept)), expfmt.NewFormat(expfmt.TypeProtoDelim))
	seen, exemplars := 0, 0
	for {
		var f dto.MetricFamily
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if f.GetName() != catalog.HTTPRequestDuration {
			continue
		}
		for _, m := range f.Metric {
			seen++
			x := m.Histogram
			native := x.GetZeroCount()
			for _, n := range expand(x) {
				native += n
			}
			if native != x.GetSampleCount() || x.GetSchema() != pm2.ReportSchema || x.GetZeroThreshold() != math.Pow(2, -40) || x.CreatedTimestamp == nil {
				t.Errorf("native: %v", x)
			}
			labels := spellLabels(m.Label)
			for _, format := range []struct{ name, body string }{{"text", plain}, {"OpenMetrics", open}} {
				for _, want := range []string{
					f.GetName() + "_count" + labels + " " + spelled(x.GetSampleCount(), format.name),
					f.GetName() + "_bucket" + strings.TrimSuffix(labels, "}") + `,le="+Inf"} ` + spelled(x.GetSampleCount(), format.name),
				} {
					if !strings.Contains(format.body, "\n"+want) {
						t.Errorf("%s lacks %s", format.name, want)
					}
				}
			}
			exemplars += len(x.Exemplars)
			for _, e := range x.Exemplars {
				if e.Timestamp == nil || !strings.Contains(open, ` # {record_id="`+e.Label[0].GetValue()+`"} `) {
					t.Errorf("exemplar %v", e)
				}
			}
		}
	}
	if seen != 2 || exemplars != 2 || strings.Contains(plain, "record_id") {
		t.Errorf("%d series with %d exemplars", seen, exemplars)
	}
}

const protobufAccept = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"

func spelled(n uint64, format string) string {
	e := encoder{open: format == "OpenMetrics"}
	e.count(n)
	return string(e.buf)
}

// TestHistogramsEqualExpfmt: odd counts and exemplars are spelled as expfmt
// does.
func TestHistogramsEqualExpfmt(t *testing.T) {
	sink := newSink(newVocabulary())
	for i, n := range []uint64{0, 1, 10, 999_999, 1_000_000, 1 << 60} {
		h := Histogram{Count: n, Sum: float64(n) / 3, Classic: make([]uint64, 13)}
		h.Classic[3] = n / 2
		h.Exemplars = []ledger.Exemplar{
			{Bucket: 3, ID: "0199b5a0-0000-7000-8000-000000000001", Seconds: 1, At: time.UnixMilli(1764100000000 + int64(i))},
			{Bucket: 13, ID: "0199b5a0-0000-7000-8000-000000000002", Seconds: 0.1 + 0.2, At: time.UnixMilli(1764100000000)},
		}
		sink.Histogram(catalog.HTTPRequestDuration, h, now.Add(time.Duration(i)), labels("q", "\"\\\n{}é,="))
		sink.Histogram(catalog.HTTPRequestDuration, h, time.Time{}, nil)
	}
	sink.Histogram(catalog.NodeGCDuration, Histogram{Count: 5, Sum: 1, Classic: make([]uint64, 6)}, now, labels("a", "b"))
	for _, f := range sink.families {
		for _, open := range []bool{false, true} {
			var want, got bytes.Buffer
			var err error
			if open {
				_, err = expfmt.MetricFamilyToOpenMetrics(&want, f.dto(), expfmt.WithCreatedLines())
				want.WriteString("# EOF\n")
			} else {
				_, err = expfmt.MetricFamilyToText(&want, f.dto())
			}
			e := encoder{out: &got, open: open, when: true}
			e.family(f)
			if endErr := e.end(); err != nil || endErr != nil {
				t.Fatal(err, endErr)
			}
			if diff := cmp.Diff(want.String(), got.String()); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestTheSinkKeepsNothingOfAHistogram: the ledger goes on counting while an
// answer is written.
func TestTheSinkKeepsNothingOfAHistogram(t *testing.T) {
	sink := newSink(newVocabulary())
	h := Histogram{Count: 1, Classic: make([]uint64, 13), Native: []uint64{1}, Exemplars: []ledger.Exemplar{{ID: "a"}}}
	h.Classic[0] = 1
	sink.Histogram(catalog.HTTPRequestDuration, h, now, nil)
	h.Classic[0], h.Native[0], h.Exemplars[0].ID = 7, 7, "b"
	kept := sink.families[catalog.HTTPRequestDuration].hists[0]
	if kept.Classic[0] != 1 || kept.Native[0] != 1 || kept.Exemplars[0].ID != "a" {
		t.Errorf("%+v", kept)
	}
}

// TestFiguresOfAProcessThatEnded leave with it, and a process that is online
// and silent is still told of.
func TestFiguresOfAProcessThatEnded(t *testing.T) {
	daemons, source := twoDaemons(t)
	e := newExporter(t, daemons, source)
	process := daemons[0].(*fixedDaemon).view.Processes[0].Process
	gauges := func() (heap, inFlight, last, collections bool) {
		body := text(t, e.Gather(context.Background(), nil))
		has := func(name string) bool { return strings.Contains(body, "\n"+name+"{") }
		return has(catalog.NodeHeapUsed), has(catalog.HTTPInFlight), has(catalog.NodeLastReport), has(catalog.NodeGCDuration + "_count")
	}
	was := now
	defer func() { now = was }()
	for _, c := range []struct {
		name                              string
		change                            func()
		heap, inFlight, last, collections bool
	}{
		{"running", func() {}, true, true, true, true},
		{"silent for long", func() { now = was.Add(10 * time.Minute) }, false, false, true, true},
		{"stopped", func() { now, process.Status, process.PID = was, "stopped", 0 }, false, false, false, true},
		{"another process", func() { process.Status, process.PID, process.StartedAt = "online", 101, was }, false, false, false, true},
	} {
		c.change()
		heap, inFlight, last, collections := gauges()
		if heap != c.heap || inFlight != c.inFlight || last != c.last || collections != c.collections {
			t.Errorf("%s: heap %v, in flight %v, last report %v, collections %v", c.name, heap, inFlight, last, collections)
		}
	}
}
