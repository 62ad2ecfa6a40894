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

// framework is an app that is built on one, and the requests that it answers.
type framework struct {
	name, modules, script string
	env                   map[string]string
	requests              []request

	protocol protocol // none: HTTP/1.1
	args     func(port int) []string
	nodeArgs []string
	extra    map[string]any // further settings for PM2
	forkOnly bool
}

// workers are the numbers of workers that the app is tried with.
func (f framework) workers() []int {
	if f.forkOnly {
		return []int{0}
	}
	return []int{0, 2}
}

// spec is the app for PM2.
func (f framework) spec(t testing.TB, name string, workers int) (pm2test.AppSpec, int) {
	env := map[string]string{"PM25_EXT_INTERVAL": "1"}
	maps.Copy(env, f.env)
	s, port := app(t, name, f.script, workers, env)
	s.NodeArgs, s.Extra = append(s.NodeArgs, f.nodeArgs...), f.extra
	if f.args != nil {
		s.Args = f.args(port)
	}
	return s, port
}

// frameworkApp is an app of the extension's own tests.
func frameworkApp(script string) string {
	return filepath.Join(extPath("test/frameworks/apps"), script)
}

func alias(pair string) map[string]string { return map[string]string{"EXT_TEST_ALIAS": pair} }

func frameworks() []framework {
	cjs := func(name, script string, s shape, env map[string]string) framework {
		return framework{name: name, modules: "CommonJS", script: frameworkApp(script), env: env, requests: s.all()}
	}
	esm := func(name string, env map[string]string, requests ...request) framework {
		return framework{name: name, modules: "ESM", script: frameworkApp("esm.mjs"), env: env, requests: requests}
	}
	get := func(path, route, code string) request { return request{"GET", path, 2, key{"GET", route, code}} }
	return []framework{
		cjs("express 4", "express.js", colons, alias("express=express4")),
		cjs("express 5", "express.js", colons, nil),
		esm("express 5", map[string]string{"ESM_APP": "express"},
			get("/api/v7/fail", "/api/:version/fail", "5xx"),
			get("/api/v8/late?token=canary", "/api/:version/late", "2xx"),
			get("/api/v7/slow", "/api/:version/slow", "aborted"),
			get("/nope", "(unmatched)", "4xx"),
		),
		cjs("fastify 4", "fastify.js", colons, alias("fastify=fastify4")),
		cjs("fastify 5", "fastify.js", colons, alias("fastify=fastify5")),
		cjs("koa 2", "koa.js", colons, nil),
		cjs("koa 3", "koa.js", colons, alias("koa=koa3")),
		esm("koa 2", nil,
			get("/users/1", "/users/:id", "2xx"),
			get("/fail", "/fail", "5xx"),
			get("/late?token=canary", "/late", "2xx"),
			get("/slow", "/slow", "aborted"),
			get("/nope", "(unmatched)", "4xx"),
		),
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
func (f framework) make(t testing.TB, id *identity, port int) map[key]uint64 {
	t.Helper()
	made := map[key]uint64{}
	for _, client := range f.protocol.clients(id) {
		for _, r := range f.requests {
			for range r.times {
				if err := r.make(client, f.protocol.url(port, r.path)); err != nil {
					t.Errorf("%s: %s %s: %v", f.name, r.method, r.path, err)
					continue
				}
				made[r.want]++
			}
		}
	}
	return made
}

func (r request) make(c *http.Client, url string) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if r.want.Code == "aborted" {
		defer time.AfterFunc(400*time.Millisecond, cancel).Stop()
	}
	begun := time.Now()
	status, err := askURL(ctx, c, r.method, url)
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
	id := newIdentity(t)
	for _, h := range []struct {
		pm2, node string
		list      []framework
	}{
		{"7", "", frameworks()},
		{"7", "", slices.Concat(built(t), overTLS(t, id))},
		{"7", "", typescript(false)},
		{"6", "", named(few...)},
		{"5", "", named(few...)},
		{"6", "16", named(few[:2]...)}, // PM2 7 wants Node.js 18, fastify 5 wants 20
		{"7", "18", named(few[:2]...)},
		{"7", "20", named(few...)},
		{"7", "22", named(few...)},
		{"7", "24", slices.Concat(named(few...), overHTTP2(t, id))},
		{"7", "24", typescript(true)},
	} {
		t.Run("PM2 "+h.pm2+", Node "+h.node, func(t *testing.T) {
			onNode(t, h.node)
			c := counting{d: pm2test.New(t, pm2test.Options{Version: h.pm2}), id: id, pm2: h.pm2, node: h.node}
			c.a = newAgent(t, c.d)
			for list := range slices.Chunk(h.list, 5) {
				c.frameworks(t, list, table)
			}
		})
	}
	doc.Write(t, "counted", table)
}

// counting is a daemon with its agent, on which apps of frameworks are tried.
type counting struct {
	d         *pm2test.Daemon
	a         *agent
	id        *identity
	pm2, node string
}

// frameworks tests the apps of some frameworks side by side, then ends them.
func (c counting) frameworks(t *testing.T, list []framework, table *doctable.Table) {
	var specs []pm2test.AppSpec
	ports := map[string]int{}
	plain := strings.NewReplacer("/", "", "`", "") // PM2 names files by it
	name := func(i, workers int) string { return fmt.Sprintf("%s %d %d", plain.Replace(list[i].name), i, workers) }
	for i, f := range list {
		for _, workers := range f.workers() {
			s, port := f.spec(t, name(i, workers), workers)
			specs, ports[s.Name] = append(specs, s), port
		}
	}
	c.d.App(t, specs...)
	listening(t, slices.Collect(maps.Values(ports))...)
	for i, f := range list {
		row := []any{pm2Name(c.pm2), nodeName(t, c.d, c.node, name(i, 0)), f.name, f.modules}
		for _, workers := range f.workers() {
			app := name(i, workers)
			if n := len(pids(t, c.d, app)); n != max(1, workers) {
				t.Errorf("%s has %d processes", app, n)
			}
			row = append(row, c.counts(t, f, app, ports[app])...)
		}
		if f.forkOnly {
			row = append(row, "–", "–", "–", "–")
		}
		table.Add(row...)
	}
	if body, err := c.a.body("application/openmetrics-text"); err != nil || strings.Contains(body, "canary") {
		t.Errorf("a query string is exposed (%v)", err)
	}
	c.d.Must(t, "delete", "all")
}

// counts makes the requests of an app and returns how many were made, counted,
// and are in each layout.
func (c counting) counts(t *testing.T, f framework, app string, port int) []any {
	t.Helper()
	made := f.make(t, c.id, port)
	c.a.exactly(t, app, made)
	counts, err := c.a.counts(app)
	if err != nil {
		t.Fatal(err)
	}
	var counted, exponential, classic uint64
	for k, h := range counts {
		counted, exponential, classic = counted+h.GetSampleCount(), exponential+native(h), classic+inf(h)
		if strings.HasSuffix(k.Route, "/late") {
			if least := float64(h.GetSampleCount()) * 0.25; h.GetSampleSum() < least*0.99 { // timers may be early by a millisecond
				t.Errorf("%s, %s %v: %v s in all, want at least %v", f.name, app, k, h.GetSampleSum(), least)
			}
			if !hasExemplar(h) {
				t.Errorf("%s, %s %v: no exemplar of a slow request", f.name, app, k)
			}
		}
	}
	return []any{sum(made), counted, exponential, classic}
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
