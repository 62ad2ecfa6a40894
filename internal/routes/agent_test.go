//go:build routes

package routes

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

const (
	requests = "pm2_http_request_duration_seconds"
	protobuf = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"
)

// agent is a pm25-agent on one daemon, started any number of times with the
// same port and state.
type agent struct {
	*proctest.Process
	t    testing.TB
	addr string
	args []string
}

func newAgent(t testing.TB, d *pm2test.Daemon) *agent {
	t.Helper()
	a := &agent{t: t, addr: fmt.Sprintf("127.0.0.1:%d", pm2test.FreePort(t))}
	a.args = []string{"--web.listen-address=" + a.addr, "--pm2.home=e=" + d.Home(), "--state.dir=" + t.TempDir()}
	a.start()
	return a
}

// start starts the agent and waits until it follows PM2.
func (a *agent) start() {
	a.t.Helper()
	a.Process = proctest.Start(a.t, nil, programs.Program(a.t, "pm25-agent"), a.args...)
	pm2test.Eventually(a.t, 20*time.Second, func() error {
		if a.Ended() {
			return errors.New("the agent ended")
		}
		f, err := a.families("")
		if err == nil && gauge(f["pm2_up"]) != 1 {
			err = errors.New("pm2_up is not 1")
		}
		return err
	})
}

// restart ends the agent in order and starts it again.
func (a *agent) restart() {
	a.t.Helper()
	if code := a.Stop(a.t, syscall.SIGTERM); code != 0 {
		a.t.Fatalf("the agent ended with exit code %d", code)
	}
	a.start()
}

func gauge(f *dto.MetricFamily) float64 {
	if len(f.GetMetric()) != 1 {
		return -1
	}
	m := f.GetMetric()[0]
	return m.GetGauge().GetValue() + m.GetCounter().GetValue()
}

var scraper = &http.Client{Timeout: 20 * time.Second}

// body scrapes /metrics.
func (a *agent) body(accept string) (string, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+a.addr+"/metrics", nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", accept)
	res, err := scraper.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = errors.New(res.Status)
	}
	return string(b), err
}

// families scrapes all metrics, as plain text or as protobuf.
func (a *agent) families(accept string) (map[string]*dto.MetricFamily, error) {
	body, err := a.body(accept)
	if err != nil {
		return nil, err
	}
	if accept != protobuf {
		p := expfmt.NewTextParser(model.UTF8Validation)
		return p.TextToMetricFamilies(strings.NewReader(body))
	}
	out := map[string]*dto.MetricFamily{}
	dec := expfmt.NewDecoder(strings.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim))
	for {
		f := &dto.MetricFamily{}
		switch err := dec.Decode(f); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		out[f.GetName()] = f
	}
}

// key is a series of an app.
type key struct{ Method, Route, Code string }

func keyOf(m *dto.Metric) (app string, k key) {
	for _, l := range m.GetLabel() {
		switch l.GetName() {
		case "app":
			app = l.GetValue()
		case "method":
			k.Method = l.GetValue()
		case "route":
			k.Route = l.GetValue()
		case "code":
			k.Code = l.GetValue()
		}
	}
	return app, k
}

// inf is how many the classic buckets hold: the last one, of +Inf.
func inf(h *dto.Histogram) uint64 {
	b := h.GetBucket()
	if len(b) == 0 {
		return 0
	}
	return b[len(b)-1].GetCumulativeCount()
}

// native is how many the exponential buckets hold.
func native(h *dto.Histogram) uint64 {
	n, at := int64(h.GetZeroCount()), int64(0)
	for _, delta := range h.GetPositiveDelta() {
		at += delta
		n += at
	}
	return uint64(n)
}

// counts are the requests of an app by series, as protobuf has them. That both
// layouts hold each request once is tested on the way.
func (a *agent) counts(app string) (map[key]*dto.Histogram, error) {
	f, err := a.families(protobuf)
	if err != nil {
		return nil, err
	}
	out := map[key]*dto.Histogram{}
	for _, m := range f[requests].GetMetric() {
		name, k := keyOf(m)
		if name != app {
			continue
		}
		h := m.GetHistogram()
		if n := h.GetSampleCount(); native(h) != n || inf(h) != n || h.GetCreatedTimestamp() == nil {
			a.t.Errorf("%s %v: count %d, native %d, classic %d, created %v", app, k, n, native(h), inf(h), h.GetCreatedTimestamp())
		}
		if _, twice := out[k]; twice {
			a.t.Errorf("%s %v is there twice", app, k)
		}
		out[k] = h
	}
	return out, nil
}

// same tells where an app's requests, as protobuf and plain text have them,
// differ from what they should be.
func (a *agent) same(app string, want map[key]uint64) error {
	counts, err := a.counts(app)
	if err != nil {
		return err
	}
	got := map[key]uint64{}
	for k, h := range counts {
		got[k] = h.GetSampleCount()
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s, protobuf (- made, + counted): %s", app, diff)
	}
	f, err := a.families("text/plain")
	if err != nil {
		return err
	}
	clear(got)
	for _, m := range f[requests].GetMetric() {
		if name, k := keyOf(m); name == app {
			got[k] = inf(m.GetHistogram())
			if n := m.GetHistogram().GetSampleCount(); n != got[k] {
				return fmt.Errorf("%s %v, text: count %d, +Inf %d", app, k, n, got[k])
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("%s, text (- made, + counted): %s", app, diff)
	}
	return nil
}

// exactly waits until the agent has counted what was made, and sees then that
// further reports add nothing.
func (a *agent) exactly(t testing.TB, app string, want map[key]uint64) {
	t.Helper()
	pm2test.Eventually(t, 25*time.Second, func() error { return a.same(app, want) })
	a.hears(t, app)
	if err := a.same(app, want); err != nil {
		t.Errorf("later: %v", err)
	}
}

// hears waits until each process of an app that runs has reported twice more.
func (a *agent) hears(t testing.TB, app string) {
	t.Helper()
	for range 2 {
		was := a.reported(t, app)
		pm2test.Eventually(t, 25*time.Second, func() error {
			now := a.reported(t, app)
			for id := range was {
				if at, runs := now[id]; runs && !at.After(was[id]) {
					return fmt.Errorf("process %s of %s has not reported", id, app)
				}
			}
			return nil
		})
	}
}

// reported is when each process of an app that runs was last heard, by PM2's
// id.
func (a *agent) reported(t testing.TB, app string) map[string]time.Time {
	t.Helper()
	f, err := a.families("")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]time.Time{}
	for _, m := range f["nodejs_last_report_timestamp_seconds"].GetMetric() {
		if name, _ := keyOf(m); name != app {
			continue
		}
		for _, l := range m.GetLabel() {
			if l.GetName() == "pm_id" {
				out[l.GetValue()] = time.UnixMicro(int64(m.GetGauge().GetValue() * 1e6))
			}
		}
	}
	return out
}

func sum(counts map[key]uint64) (n uint64) {
	for _, c := range counts {
		n += c
	}
	return n
}
