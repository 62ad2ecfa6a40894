package exporter

import (
	"bytes"
	"context"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// The encoder gives what expfmt gives, byte for byte.
func TestEncoderEqualsExpfmt(t *testing.T) {
	daemons, source := twoDaemons(t)
	families := newExporter(t, daemons, source).Gather(context.Background(), nil)
	for _, open := range []bool{false, true} {
		format := expfmt.NewFormat(expfmt.TypeTextPlain)
		if open {
			format = expfmt.NewFormat(expfmt.TypeOpenMetrics)
		}
		var want bytes.Buffer
		enc := expfmt.NewEncoder(&want, format, expfmt.WithCreatedLines())
		for _, f := range families {
			if err := enc.Encode(f); err != nil {
				t.Fatal(err)
			}
		}
		if c, ok := enc.(expfmt.Closer); ok {
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		own, release := newExporter(t, daemons, source).gather(context.Background(), nil)
		var got bytes.Buffer
		e := encoder{out: &got, open: open, when: true}
		for _, f := range own {
			e.family(f)
		}
		if err := e.end(); err != nil {
			t.Fatal(err)
		}
		release()
		if diff := cmp.Diff(want.String(), got.String()); diff != "" {
			t.Errorf("open=%v: %s", open, diff)
		}
	}
}

// Odd numbers and times of creation are spelled as expfmt does.
func TestEncoderNumbers(t *testing.T) {
	v := newVocabulary()
	sink := newSink(v)
	for i, n := range []float64{0, 1, -1, 2, 0.1, math.Copysign(0, -1), 1e6, 123456789, 1e21, 5e-324, 1.7976931348623157e308, 1 << 53, 1795348800.123} {
		sink.Gauge("pm2_host_load1", n, labels("i", string(rune('a'+i))))
		sink.Counter("pm25_agent_state_errors_total", n, time.Unix(int64(i), 5e8).Add(time.Duration(i)), labels("q", "\"\\\n{}é,="))
		sink.Counter("pm25_agent_state_errors_total", n, time.Time{}, nil)
	}
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

// Sinks that are used again hold nothing of the scrape before, and the
// metrics of the agent's process are among the others by name.
func TestHandlerAgain(t *testing.T) {
	daemons, source := twoDaemons(t)
	e := newExporter(t, daemons, source)
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewBuildInfoCollector(), prometheus.NewGauge(prometheus.GaugeOpts{Name: "process_x"}))
	h := e.Handler(HandlerOptions{Self: reg})
	answer := func(query string) (header http.Header, body string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics"+query, nil))
		return w.Header(), w.Body.String()
	}
	header, _ := answer("")
	if got := header.Get("Content-Type"); got != "text/plain; version=0.0.4; charset=utf-8; escaping=underscores" {
		t.Errorf("content type %q", got)
	}
	const one = "?collect[]=daemon"
	_, first := answer(one)
	_, full := answer("")
	_, again := answer(one)
	if count := bytes.Count; count([]byte(first), []byte("\n")) != count([]byte(again), []byte("\n")) {
		t.Errorf("at first:\n%s\nagain:\n%s", first, again)
	}
	at := func(s string) int { return bytes.Index([]byte(full), []byte("\n# TYPE "+s+" ")) }
	if at("pm2_up") < 0 || at("go_build_info") > at("pm2_up") || at("process_x") < at("pm25_agent_build_info") {
		t.Errorf("not in order:\n%s", full)
	}
}
