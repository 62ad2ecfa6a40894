//go:build routes

package routes

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// shape is how an app names what it answers.
type shape struct{ user, item string }

var (
	colons = shape{"/users/:id", "/api/v1/orders/:order/items/:item"}
	braces = shape{"/users/{id}", "/api/v1/orders/{order}/items/{item}"}
	ids    = shape{"/users/:id", "/api/v1/orders/:id/items/:id"}
)

// request is a request, how often it is made and how it has to be counted.
type request struct {
	method, path string
	times        uint64
	want         key
}

// all are the requests that the apps of every framework answer.
func (s shape) all() []request {
	get := func(path string, times uint64, route, code string) request {
		return request{"GET", path, times, key{"GET", route, code}}
	}
	return []request{
		get("/hello?token=canary", 3, "/hello", "2xx"),
		get("/users/1", 2, s.user, "2xx"),
		get("/users/2", 3, s.user, "2xx"),
		{"POST", "/users", 1, key{"POST", "/users", "2xx"}},
		{"HEAD", "/hello", 1, key{"HEAD", "/hello", "2xx"}},
		get("/api/v1/orders/7/items/9", 1, s.item, "2xx"),
		get("/api/v1/orders/8/items/10?x=1", 1, s.item, "2xx"),
		get("/nope/1", 1, "(unmatched)", "4xx"),
		get("/nope/2?token=canary", 1, "(unmatched)", "4xx"),
		get("/fail", 1, "/fail", "5xx"),
		get("/api/v1/fail", 1, "/api/v1/fail", "5xx"),
		get("/static/app.js", 1, "(static)", "2xx"),
		get("/static/deep/style.css?v=3", 1, "(static)", "2xx"),
		get("/late", 2, "/late", "2xx"),
		get("/slow", 1, "/slow", "aborted"),
	}
}

type framework struct {
	name, modules, script string
	env                   map[string]string
	requests              []request
}

func alias(pair string) map[string]string { return map[string]string{"EXT_TEST_ALIAS": pair} }

func frameworks() []framework {
	cjs := func(name, script string, s shape, env map[string]string) framework {
		return framework{name, "CommonJS", script, env, s.all()}
	}
	get := func(path, route, code string) request { return request{"GET", path, 2, key{"GET", route, code}} }
	return []framework{
		cjs("express 4", "express.js", colons, alias("express=express4")),
		cjs("express 5", "express.js", colons, nil),
		{"express 5", "ESM", "esm.mjs", map[string]string{"ESM_APP": "express"}, []request{
			get("/api/v7/fail", "/api/:version/fail", "5xx"),
			get("/api/v8/late?token=canary", "/api/:version/late", "2xx"),
			get("/api/v7/slow", "/api/:version/slow", "aborted"),
			get("/nope", "(unmatched)", "4xx"),
		}},
		cjs("fastify 4", "fastify.js", colons, alias("fastify=fastify4")),
		cjs("fastify 5", "fastify.js", colons, alias("fastify=fastify5")),
		cjs("koa 2", "koa.js", colons, nil),
		cjs("koa 3", "koa.js", colons, alias("koa=koa3")),
		{"koa 2", "ESM", "esm.mjs", nil, []request{
			get("/users/1", "/users/:id", "2xx"),
			get("/fail", "/fail", "5xx"),
			get("/late?token=canary", "/late", "2xx"),
			get("/slow", "/slow", "aborted"),
			get("/nope", "(unmatched)", "4xx"),
		}},
		cjs("hapi 21", "hapi.js", braces, nil),
		cjs("restify 11", "restify.js", colons, alias("restify=restify11")),
		cjs("restify 12", "restify.js", colons, nil),
		cjs("nest on express", "nest.js", colons, nil),
		cjs("nest on fastify", "nest.js", colons, map[string]string{"NEST_PLATFORM": "fastify"}),
		cjs("bare http", "bare.js", ids, nil),
	}
}

// named are the frameworks with the names.
func named(names ...string) (out []framework) {
	for _, f := range frameworks() {
		for _, n := range names {
			if f.name == n {
				out = append(out, f)
			}
		}
	}
	return out
}

// rounds is how often all requests are made, first each on its own connection,
// then on connections that are kept.
const rounds = 2

// make makes the requests of a framework's app and returns what was made.
func (f framework) make(t testing.TB, port int) map[key]uint64 {
	t.Helper()
	made := map[key]uint64{}
	for round := range rounds {
		client := fresh
		if round > 0 {
			client = kept
		}
		for _, r := range f.requests {
			for range r.times {
				if err := r.make(client, port); err != nil {
					t.Errorf("%s: %s %s: %v", f.name, r.method, r.path, err)
					continue
				}
				made[r.want]++
			}
		}
	}
	return made
}

func (r request) make(c *http.Client, port int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if r.want.Code == "aborted" {
		defer time.AfterFunc(400*time.Millisecond, cancel).Stop()
	}
	begun := time.Now()
	status, err := ask(ctx, c, port, r.method, r.path)
	switch {
	case r.want.Code == "aborted":
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("it was answered: %d %w", status, err)
		}
		return nil
	case err != nil:
		return err
	case fmt.Sprintf("%dxx", status/100) != r.want.Code:
		return fmt.Errorf("status %d", status)
	case strings.Contains(r.path, "/late") && time.Since(begun) < 200*time.Millisecond:
		return errors.New("it was not slow")
	}
	return nil
}

// TestRequestsMadeAndCounted: each request that an app of each framework
// answers is in the histogram of its method, route and class once, in both
// layouts, on each PM2 and Node.js.
func TestRequestsMadeAndCounted(t *testing.T) {
	table := doctable.New("PM2", "Node.js", "app", "modules", "made, fork", "counted", "native", "+Inf", "made, cluster", "counted", "native", "+Inf")
	few := []string{"express 5", "fastify 4", "fastify 5"}
	for _, h := range []struct {
		pm2, node string
		list      []framework
	}{
		{"7", "", frameworks()},
		{"6", "", named(few...)},
		{"5", "", named(few...)},
		{"7", "18", named(few[:2]...)}, // fastify 5 wants Node.js 20
		{"7", "20", named(few...)},
		{"7", "22", named(few...)},
		{"7", "24", named(few...)},
	} {
		t.Run("PM2 "+h.pm2+", Node "+h.node, func(t *testing.T) {
			onNode(t, h.node)
			d := pm2test.New(t, pm2test.Options{Version: h.pm2})
			a := newAgent(t, d)
			for len(h.list) > 0 {
				n := min(5, len(h.list))
				countFrameworks(t, d, a, h.pm2, h.node, h.list[:n], table)
				h.list = h.list[n:]
			}
		})
	}
	doc.Write(t, "counted", table)
}

// countFrameworks tests the apps of some frameworks side by side, then ends
// them.
func countFrameworks(t *testing.T, d *pm2test.Daemon, a *agent, pm2, node string, list []framework, table *doctable.Table) {
	var specs []pm2test.AppSpec
	var ports []int
	name := func(f framework, workers int) string {
		return fmt.Sprintf("%s %s %d", f.name, f.modules, workers)
	}
	for _, f := range list {
		for _, workers := range []int{0, 2} {
			env := map[string]string{"PM25_EXT_INTERVAL": "1"}
			maps.Copy(env, f.env)
			s, port := app(t, name(f, workers), filepath.Join(extPath("test/frameworks/apps"), f.script), workers, env)
			specs, ports = append(specs, s), append(ports, port)
		}
	}
	d.App(t, specs...)
	listening(t, ports...)
	for i, f := range list {
		row := []any{pm2Name(pm2), nodeName(t, d, node, specs[2*i].Name), f.name, f.modules}
		for j, workers := range []int{0, 2} {
			app := name(f, workers)
			running := pids(t, d, app)
			if len(running) != max(1, workers) {
				t.Errorf("%s has %d processes", app, len(running))
			}
			made := f.make(t, ports[2*i+j])
			a.exactly(t, app, made)
			counts, err := a.counts(app)
			if err != nil {
				t.Fatal(err)
			}
			var counted, exponential, classic uint64
			for k, h := range counts {
				counted, exponential, classic = counted+h.GetSampleCount(), exponential+native(h), classic+inf(h)
				if strings.HasSuffix(k.Route, "/late") {
					if least := float64(h.GetSampleCount()) * 0.25; h.GetSampleSum() < least*0.99 { // timers may be early by a millisecond
						t.Errorf("%s %v: %v s in all, want at least %v", app, k, h.GetSampleSum(), least)
					}
					if !hasExemplar(h) {
						t.Errorf("%s %v: no exemplar of a slow request", app, k)
					}
				}
			}
			row = append(row, sum(made), counted, exponential, classic)
		}
		table.Add(row...)
	}
	if body, err := a.body("application/openmetrics-text"); err != nil || strings.Contains(body, "canary") {
		t.Errorf("a query string is exposed (%v)", err)
	}
	d.Must(t, "delete", "all")
}

// hasExemplar says that a slow request is named in a classic bucket.
func hasExemplar(h *dto.Histogram) bool {
	return slices.ContainsFunc(h.GetBucket(), func(b *dto.Bucket) bool {
		e := b.GetExemplar()
		return e.GetValue() >= 0.2 && len(e.GetLabel()) == 1 && e.GetLabel()[0].GetName() == "record_id"
	})
}

func pm2Name(major string) string {
	return map[string]string{"5": "5.4", "6": "6.0", "7": "7.0"}[major]
}

// nodeName says on which Node.js an app runs, and sees that it is the wanted.
func nodeName(t testing.TB, d *pm2test.Daemon, want, app string) string {
	t.Helper()
	for _, pid := range append(pids(t, d, app), d.PID()) {
		if exe := runsOn(t, pid); want != "" && !strings.Contains(exe, "/node"+want+"/") {
			t.Errorf("%s runs on %s", app, exe)
		}
	}
	if want == "" {
		return "20, the host’s"
	}
	return want
}
