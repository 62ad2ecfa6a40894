//go:build routes

package routes

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
)

// Bounds of pm25-ext and of the agent. That of pm25-ext is one process's, and
// enough for the two workers here: paths that clients choose have half of its
// room.
const (
	extSeries   = 200
	agentSeries = 500
	folded      = 6 * 10 // (other): a class of each method
)

// TestFlood: whatever clients ask for and apps call their routes, series stay
// within their bounds and totals are exact.
func TestFlood(t *testing.T) {
	table := doctable.New("flood", "app", "requests made", "counted", "series", "in (other)", "routes collapsed")
	d := pm2test.New(t, pm2test.Options{})
	a := newAgent(t, d)
	row := func(flood, app string, made uint64, bound int) {
		t.Helper()
		pm2test.Eventually(t, 25*time.Second, func() error {
			if n := a.total(t, app); n != made {
				return fmt.Errorf("%s has %d requests, want %d", app, n, made)
			}
			return nil
		})
		a.hears(t, app)
		counts, err := a.counts(app)
		if err != nil {
			t.Fatal(err)
		}
		var other uint64
		for k, h := range counts {
			if k.Route == "(other)" {
				other += h.GetSampleCount()
			}
		}
		if n := a.total(t, app); n != made || len(counts) > bound || other == 0 {
			t.Errorf("%s: %d requests, want %d; %d series, at most %d; %d in (other)", app, n, made, len(counts), bound, other)
		}
		table.Add(flood, app, made, a.total(t, app), len(counts), other, a.collapsed(t, app))
	}
	serve := func(name, script string, workers int, env map[string]string) int {
		env["PM25_EXT_INTERVAL"] = "1"
		spec, port := app(t, name, script, workers, env)
		d.App(t, spec)
		listening(t, port)
		return port
	}

	bare := frameworkApp("bare.js")
	port := serve("urls", bare, 2, map[string]string{})
	row("10 000 distinct URLs", "urls", manyURLs(t, port, 10_000), extSeries+folded)

	port = serve("tricks", bare, 2, map[string]string{})
	row("5 000 odd methods, hosts and targets", "tricks", manyTricks(t, port, 5000), extSeries+folded)

	port = serve("made", appPath("odd.js"), 0, map[string]string{"ROUTES": "3000", "PM25_EXT_MAX_ROUTES": "1000", "PM25_EXT_MAX_SERIES": "1500"})
	made := inParallel(t, 3000, func(i int) error { return want2xx(port, fmt.Sprintf("/made/%d/7", i)) })
	row("3 000 routes of the app, limits of pm25-ext raised to 1 000", "made", made, agentSeries+6)

	port = serve("odd", appPath("odd.js"), 0, map[string]string{})
	for range 5 {
		if err := errors.Join(want2xx(port, "/odd%22quote%0Anew%5Cline%09%7B%7D/7"), want2xx(port, "/"+strings.Repeat("%C3%A9", 100))); err != nil {
			t.Fatal(err)
		}
	}
	// The agent marks what it has to change, so that two names never become one.
	quoted := pm2.SafeName([]byte("/odd\"quote\nnew\\line\t{}/:id"))
	long := pm2.SafeName([]byte("/" + strings.Repeat("é", 100)))
	if len(long) > 128 || strings.ContainsFunc(quoted, unicode.IsControl) || !strings.HasPrefix(quoted, `/odd"quote`) {
		t.Errorf("%q, %q", quoted, long)
	}
	a.exactly(t, "odd", map[key]uint64{{"GET", quoted, "2xx"}: 5, {"GET", long, "2xx"}: 5})
	table.Add("a route named `/odd\"quote⏎new\\line⇥{}/:id`, one of 201 bytes", "odd", 10, a.total(t, "odd"), 2, 0, a.collapsed(t, "odd"))

	f, err := a.families("")
	if err != nil {
		t.Fatal(err)
	}
	if n := gauge(f["pm25_agent_decode_errors_total"]); n != 0 {
		t.Errorf("%v messages could not be read", n)
	}
	promtoolLikes(t, a)
	doc.Write(t, "flood", table)
}

func want2xx(port int, path string) error {
	status, err := ask(context.Background(), kept, port, http.MethodGet, path)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: status %d", path, status)
	}
	return err
}

func (a *agent) collapsed(t testing.TB, app string) float64 {
	t.Helper()
	f, err := a.families("")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range f["pm2_http_routes_collapsed_total"].GetMetric() {
		if name, _ := keyOf(m); name == app {
			return m.GetCounter().GetValue()
		}
	}
	t.Errorf("pm2_http_routes_collapsed_total of %s is not there", app)
	return 0
}

// inParallel calls do for each number below n and returns n.
func inParallel(t testing.TB, n int, do func(i int) error) uint64 {
	t.Helper()
	var wg sync.WaitGroup
	next := make(chan int)
	for range 8 {
		wg.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					t.Errorf("request %d: %v", i, err)
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	return uint64(n)
}

// word is a word of letters: nothing that looks like an id.
func word(i int) string {
	b := []byte("w")
	for i++; i > 0; i /= 26 {
		b = append(b, byte('a'+i%26))
	}
	return string(b)
}

// manyURLs asks for paths that can not be told from an app's own routes, and
// some that can.
func manyURLs(t testing.TB, port, n int) uint64 {
	t.Helper()
	return inParallel(t, n, func(i int) error {
		path := "/" + word(i) + "/" + word(i*7)
		switch i % 5 {
		case 1:
			path += fmt.Sprintf("?n=%d", i)
		case 2:
			path = fmt.Sprintf("/nope/%s", word(i)) // 404
		case 3:
			path = "/" + word(i) + "/%22%0A%00%C3%28/" + strings.Repeat("x", i%300)
		case 4:
			path = "/" + word(i) + "/fail" // 500
		}
		_, err := ask(context.Background(), fresh, port, http.MethodGet, path) // to both workers in turn
		return err
	})
}

// manyTricks sends what clients of libraries can not. A request that Node.js
// refuses itself never reaches the app and does not count.
func manyTricks(t testing.TB, port, n int) (made uint64) {
	t.Helper()
	methods := []string{
		"PROPFIND", "MKCOL", "M-SEARCH", "PURGE", "UNLINK", "REPORT", "BIND", "NOTIFY", "SUBSCRIBE", "LOCK", "TRACE", "SEARCH", "GET", "DELETE",
		"BREW", "get", "GE\"T", "()",
	}
	var mu sync.Mutex
	refused := uint64(0)
	rnd := rand.New(rand.NewPCG(1, 2))
	tricks := make([]string, n)
	for i := range tricks {
		target := "/" + word(i)
		switch i % 4 {
		case 1:
			target = fmt.Sprintf("http://%s.example:%d/%s", word(i), i%65536, word(i))
		case 2:
			target = fmt.Sprintf("http://evil-%d.example?%s", i, word(i))
		case 3:
			target = "//" + word(i) + "//../%2e%2e/" + word(i*3)
		}
		method := methods[rnd.IntN(len(methods))]
		if i%50 == 0 {
			method, target = "OPTIONS", "*"
		}
		tricks[i] = fmt.Sprintf("%s %s HTTP/1.1\r\nHost: %s%d.example\r\nX-Forwarded-Host: \"%s\"\r\nConnection: close\r\n\r\n", method, target, word(i), i, word(i))
	}
	all := inParallel(t, n, func(i int) error {
		c, err := dial(port)
		if err != nil {
			return err
		}
		defer c.Close()
		if _, err := io.WriteString(c, tricks[i]); err != nil {
			return err
		}
		line, err := bufio.NewReader(c).ReadString('\n')
		if strings.Contains(line, " 400 ") {
			mu.Lock()
			refused++
			mu.Unlock()
		}
		return err
	})
	if refused == 0 || refused > all/2 {
		t.Errorf("Node.js refused %d of %d requests", refused, all)
	}
	t.Logf("Node.js refused %d of %d requests itself", refused, all)
	return all - refused
}

// promtoolLikes: promtool has nothing to say about /metrics.
func promtoolLikes(t testing.TB, a *agent) {
	t.Helper()
	body, err := a.body("text/plain")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(promtest.Binary(t, "promtool"), "check", "metrics")
	cmd.Stdin = bytes.NewReader([]byte(body))
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}
