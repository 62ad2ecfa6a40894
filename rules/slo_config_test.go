package rules

import (
	"strings"
	"testing"
)

func TestSLOsThatCanNotBe(t *testing.T) {
	const last = "\n- {name: default}"
	for text, want := range map[string]string{
		"- {name: a, app: x, latency: 400ms}" + last: "line 2: slos[0].latency: 0.4 s is no bucket of pm2_http_request_duration_seconds, so nobody can tell how many requests took longer: take 0.3 s or 0.5 s, or set native_histograms: true",
		"- {name: a, latency: 20s}":                  "take 10 s",
		"- {name: a, latency: 1ms}":                  "take 0.005 s",
		"- {name: a, latency: 0s}":                   "line 2: slos[0].latency: it has to be more than 0",
		"- {name: a, latency: fast}":                 "line 2: slos[0].latency: write a time, as in",
		"- {name: a, objective: 0.9}":                "line 2: slos[0].objective: it is 0.9: it has to be from 0.94",
		"- {name: a, objective: 1}":                  "less than 1",
		"- {name: a, objective: 99}":                 "less than 1",
		"- {latency: 1s}":                            "line 2: slos[0].name: it is \"\"",
		"- {name: 'a\"'}":                            "slos[0].name",
		"- {name: a, app: x}\n- {name: a}":           "line 3: slos[1].name: it is \"a\", as one before: each needs a name of its own",
		"- {name: all}\n- {name: b, app: x}":         "line 2: slos[0]: all is for all requests, so nothing would count for those after it: move it to the end",
		"- {name: a, apps: x}":                       "line 2: slos[0].apps: there is no such key; did you mean app?",
		"- {name: checkout, app: api}":               "line 1: slos: no entry is for apps that none of these matches, so PM2ErrorBudgetBurn would never tell of them: add {name: default, objective: 0.99, latency: 500ms} as the last, or {name: others, disabled: true}",
		"- {name: a, bucket: '*', app: 'a*'}":        "line 1: slos: no entry is for apps",
		"":                                           "line 1: slos: it is empty: write objectives, remove the line, or write []",
	} {
		if _, err := ParseConfig([]byte("slos:\n" + text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"thresholds: {route_slow_seconds: 0.7}":     "line 1: thresholds.route_slow_seconds: 0.7 s is no bucket",
		"thresholds: {deploy_window_seconds: 7200}": "line 1: thresholds.deploy_window_seconds: it is 7200: it can be 3600 at most",
		"host_labels: [instance, 'a-b']":            `line 1: host_labels[1]: "a-b" is no name of a label`,
	} {
		if _, err := ParseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q in it", text, err, want)
		}
	}
	if _, err := ParseConfig([]byte("slos: []")); err != nil {
		t.Errorf("without objectives: %v", err)
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

// TestDisabledSLO: what it matches counts for no objective, and may still be slow.
func TestDisabledSLO(t *testing.T) {
	c := configured(t, `slos:
  - {name: batch, app: "batch-*", disabled: true}
  - {name: shop, bucket: shop}
  - {name: others, disabled: true}
`)
	var told []string
	for _, g := range Groups(c) {
		for _, r := range g.Records {
			if slo := r.Labels["slo"]; slo != "" {
				told = append(told, slo)
			}
			if r.Name == routeSlow && !strings.Contains(r.Expr, `app!~"batch-.*"`) {
				t.Errorf("batch counts:\n%s", r.Expr)
			}
			if r.Name == routeTold && strings.Contains(r.Expr, "batch") {
				t.Errorf("routes of batch are never slow:\n%s", r.Expr)
			}
		}
	}
	if got := strings.Join(told, " "); got != "shop shop shop shop" {
		t.Errorf("records of %q", got)
	}
}

func TestLeMatcher(t *testing.T) {
	for seconds, want := range map[float64]string{0.5: `le="0.5"`, 0.005: `le="0.005"`, 1: `le=~"1|1\\.0"`, 10: `le=~"10|10\\.0"`, 2.5: `le="2.5"`} {
		if got := leMatcher(seconds); got != want {
			t.Errorf("%v: %s, want %s", seconds, got, want)
		}
	}
}
