package prom

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/version"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
)

func newRecorder(t *testing.T, h http.Handler, req *http.Request) *http.Response {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, req)
	return w.Result()
}

func selectors(expr parser.Expr) [][]*labels.Matcher { return parser.ExtractSelectors(expr) }

func TestAPI(t *testing.T) {
	r := open(t, scraping, func(o *Options) { o.Flags = map[string]string{"storage.path": "here"} })
	target(t, r.net)

	for path, want := range map[string]int{"/-/healthy": http.StatusOK, "/-/ready": http.StatusServiceUnavailable, "/api/v1/query?query=1": http.StatusServiceUnavailable} {
		if code, text := r.body(t, http.MethodGet, path, ""); code != want {
			t.Errorf("before the start %s gives %d %s", path, code, text)
		}
	}
	r.Start()
	if !r.Ready() {
		t.Error("not ready after the start")
	}
	until(t, "the target is up", func() bool { return r.has(t, "orders_total") })

	for _, c := range []struct {
		method, path, form string
		code               int
		want               string
	}{
		{"GET", "/-/healthy", "", 200, "Healthy"},
		{"GET", "/-/ready", "", 200, "Ready"},
		{"HEAD", "/-/ready", "", 200, ""},
		{"GET", "/api/v1/query?query=up", "", 200, `"value":[`},
		{"POST", "/api/v1/query", "query=up", 200, `"instance":"target.in-process:80"`},
		{"GET", "/api/v1/query?query=up%7B", "", 400, "parse error"},
		{"POST", "/api/v1/query_range", "query=up&start=0&end=60&step=30", 200, `"matrix"`},
		{"GET", "/api/v1/query_exemplars?query=took_seconds_bucket&start=0&end=99999999999", "", 200, `"trace_id":"abc"`},
		{"POST", "/api/v1/labels", "match[]=up", 200, `"job"`},
		{"GET", "/api/v1/label/job/values", "", 200, `"app"`},
		{"GET", "/api/v1/series?match[]=up", "", 200, `"__name__":"up"`},
		{"GET", "/api/v1/metadata", "", 200, `"orders_total"`},
		{"GET", "/api/v1/targets", "", 200, `"health":"up"`},
		{"GET", "/api/v1/rules", "", 200, `"groups":[]`},
		{"GET", "/api/v1/alerts", "", 200, `"alerts":[]`},
		{"GET", "/api/v1/alertmanagers", "", 200, `"activeAlertmanagers":[]`},
		{"GET", "/api/v1/format_query?query=sum(up)by(job)", "", 200, "sum by (job) (up)"},
		{"GET", "/api/v1/status/buildinfo", "", 200, `"goVersion":"go1.`},
		{"GET", "/api/v1/status/runtimeinfo", "", 200, `"storageRetention":"15d"`},
		{"GET", "/api/v1/status/flags", "", 200, `"storage.path":"here"`},
		{"GET", "/api/v1/status/config", "", 200, "job_name: app"},
		{"GET", "/api/v1/status/tsdb", "", 200, `"numSeries"`},
		{"GET", "/api/v1/status/walreplay", "", 200, `"status":"success"`},
		{"GET", "/api/v1/features", "", 200, `"tsdb":{`},
		{"GET", "/api/v1/notifications", "", 200, `"success"`},
		{"GET", "/api/v1/notifications/live", "", 204, ""},
		{"POST", "/api/v1/admin/tsdb/snapshot", "", 500, "admin APIs disabled"},
		{"POST", "/api/v1/admin/tsdb/delete_series?match[]=up", "", 500, "admin APIs disabled"},
		{"POST", "/api/v1/write", "x", 404, "remote write receiver needs to be enabled"},
		{"POST", "/api/v1/otlp/v1/metrics", "x", 404, "needs to be enabled"},
		{"GET", "/federate", "", 404, ""},
	} {
		code, text := r.body(t, c.method, c.path, c.form)
		if code != c.code || !strings.Contains(text, c.want) {
			t.Errorf("%s %s gives %d %s; expected %d with %s", c.method, c.path, code, text, c.code, c.want)
		}
	}
}

func TestPanicIsAnswered(t *testing.T) {
	r := open(t, scraping)
	w := httptest.NewRecorder()
	req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/api/v1/query", nil)
	r.surviving(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("broken") })).ServeHTTP(w, req)
	if w.Code != http.StatusInternalServerError || !strings.Contains(r.log.String(), "panic=broken") {
		t.Errorf("got %d, log %s", w.Code, r.log)
	}
	defer func() {
		if err, ok := recover().(error); !ok || !errors.Is(err, http.ErrAbortHandler) {
			t.Error("an answer that breaks off on purpose is not let through")
		}
	}()
	r.surviving(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).ServeHTTP(w, req)
}

func TestBuildInfoNamesPrometheusAndUs(t *testing.T) {
	ours := version.Version
	t.Cleanup(func() { version.Version = ours })
	version.Version = "1.2.3"
	deps := []*debug.Module{{Path: "other", Version: "v1.0.0"}, {Path: "github.com/prometheus/prometheus", Version: "v0.315.0"}}
	if got := buildInfo(deps).Version; got != "3.15.0+pm25.1.2.3" {
		t.Errorf("got %s", got)
	}
}

func TestServerVersion(t *testing.T) {
	for module, want := range map[string]string{"v0.315.0": "3.15.0", "v0.301.12": "3.1.12", "v3.0.0": "v3.0.0", "(devel)": "(devel)"} {
		if got := serverVersion(module); got != want {
			t.Errorf("%s is %s, not %s", module, got, want)
		}
	}
}

func TestRemoteReadAsksForWhatIsOlderThanTheStorage(t *testing.T) {
	birth := time.Unix(1_800_000_000, 0)
	r := open(t, scraping, func(o *Options) { o.Now = func() time.Time { return birth } })
	since, err := r.oldest()
	if err != nil || since != birth.Add(4*time.Hour).UnixMilli() {
		t.Errorf("got %d, %v", since, err)
	}
}
