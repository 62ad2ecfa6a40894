package rules

import (
	"strings"
	"testing"
)

func TestSLOsThatCanNotBe(t *testing.T) {
	for text, want := range map[string]string{
		"slos: [{name: a, latency: 400ms}]":         "",
		"slos: [{name: a, latency: 20s}]":           "take 10 s",
		"slos: [{name: a, latency: 1ms}]":           "take 0.005 s",
		"slos: [{name: a, latency: 0s}]":            "more than 0",
		"slos: [{name: a, latency: fast}]":          "fast",
		"slos: [{name: a, objective: 0.9}]":         "from 0.94",
		"slos: [{name: a, objective: 1}]":           "less than 1",
		"slos: [{name: a, objective: 99}]":          "less than 1",
		"slos: [{latency: 1s}]":                     "name",
		"slos: [{name: 'a\"'}]":                     "name",
		"slos: [{name: a, app: x}, {name: a}]":      "name of its own",
		"slos: [{name: all}, {name: b, app: x}]":    "last",
		"slos: [{name: a, apps: x}]":                "apps",
		"thresholds: {route_slow_seconds: 0.7}":     "route_slow_seconds: 0.7 s is no bucket",
		"thresholds: {deploy_window_seconds: 7200}": "3600",
		"host_labels: [instance, 'a-b']":            "a-b",
	} {
		if strings.Contains(text, "400ms") {
			want = "slos: latency of a: 0.4 s is no bucket of pm2_http_request_duration_seconds, so nobody can tell how many requests took longer: take 0.3 s or 0.5 s, or set native_histograms: true"
		}
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	if _, err := ParseConfig([]byte("{native_histograms: true, slos: [{name: a, latency: 400ms}], thresholds: {route_slow_seconds: 0.7}}")); err != nil {
		t.Errorf("with native histograms: %v", err)
	}
}

// TestSelections: a request counts for the first SLO that matches, and for none
// where its route is excluded.
func TestSelections(t *testing.T) {
	c, err := ParseConfig([]byte(`slos:
  - {name: checkout, bucket: shop, app: api, route: "/checkout*"}
  - {name: batch, app: "batch-?"}
  - {name: price, app: "$a.b", exclude: [/events]}
  - {name: all, exclude: ["/socket.io/*", /poll]}
`))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`m{bucket="shop",app="api",route=~"/checkout.*"}`,
		`(m{app=~"batch-."} unless m{app=~"batch-.",bucket="shop",app="api",route=~"/checkout.*"})`,
		`(m{app=~"[$]a\\.b",app!~"batch-.",route!~"/events"} unless m{app=~"[$]a\\.b",app!~"batch-.",route!~"/events",bucket="shop",app="api",route=~"/checkout.*"})`,
		`(m{app!~"batch-.",app!~"[$]a\\.b",route!~"/socket\\.io/.*|/poll"} unless m{app!~"batch-.",app!~"[$]a\\.b",route!~"/socket\\.io/.*|/poll",bucket="shop",app="api",route=~"/checkout.*"})`,
	} {
		if got := c.sloSelection(i).of("m"); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", c.SLOs[i].Name, got, want)
		}
	}
	if got, want := c.slowSelection().of("m"), `(m{route!~"/socket\\.io/.*|/poll"} unless m{route!~"/socket\\.io/.*|/poll",app=~"[$]a\\.b",route=~"/events"})`; got != want {
		t.Errorf("slow routes:\n%s\nwant\n%s", got, want)
	}
	for _, g := range Groups(c) {
		for _, r := range g.Records {
			if problems := foreign(t, c.expand(r.Expr)); len(problems) > 0 {
				t.Errorf("%s: %q", r.Name, problems)
			}
		}
	}
}

func TestLeMatcher(t *testing.T) {
	for seconds, want := range map[float64]string{0.5: `le="0.5"`, 0.005: `le="0.005"`, 1: `le=~"1|1\\.0"`, 10: `le=~"10|10\\.0"`, 2.5: `le="2.5"`} {
		if got := leMatcher(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
