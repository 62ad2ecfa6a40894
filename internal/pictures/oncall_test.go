//go:build boards

package pictures

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/uptest"
)

// path is how a question is answered from the link of an alert; see
// tools/pictures/click.js.
type path struct {
	Question string            `json:"question"`
	URL      string            `json:"url"`
	Clicks   []string          `json:"clicks,omitempty"`
	Title    string            `json:"title,omitempty"`
	Chosen   map[string]string `json:"chosen,omitempty"`
	Marks    []string          `json:"marks,omitempty"`
	Panels   map[string]string `json:"panels,omitempty"`
	Text     string            `json:"text,omitempty"`
	Wait     string            `json:"wait,omitempty"`
	Patience int               `json:"patience,omitempty"` // milliseconds
}

const (
	ofApplication = "PM25 / Application"
	ofRoutes      = "PM25 / HTTP routes"
	ofExceptions  = "PM25 / Exceptions & events"
)

// crashLoopPaths are the five questions of somebody who is told that payments
// crashes, each within two clicks of the alert's links.
func crashLoopPaths(told uptest.Told) []path {
	link := told.Annotations["dashboard_url"]
	return onBoards([]path{
		{Question: "payments: what broke", URL: link, Title: ofApplication, Chosen: map[string]string{"App": "payments", "Host": sceneHost}, Panels: map[string]string{
			"Crashes in 10 min": `[1-9]`, "Ends by reason": `crash`, "What is thrown most": `TypeError.*'brand'`,
		}},
		{Question: "payments: since when", URL: link, Title: ofApplication, Marks: []string{"Crashes", "Firing alerts"}, Panels: map[string]string{
			"Which instances run": sceneHost, "Starts, ends and deploys": `exited: crash`,
		}},
		{Question: "payments: which deploy", URL: link, Title: ofApplication, Panels: map[string]string{
			"Versions that run": `1\.12\.3`, "Exceptions by version": `payments 1\.12\.3`,
		}},
		{Question: "payments: who else runs it", URL: link, Clicks: []string{"All hosts"}, Title: ofApplication, Chosen: map[string]string{"App": "payments", "Host": "All"}, Panels: map[string]string{
			"Which instances run": sceneHost + `.*web-01|web-01.*` + sceneHost,
		}},
		{Question: "payments: who else throws it", URL: link, Clicks: []string{"Exceptions & events", "All hosts"}, Title: ofExceptions, Chosen: map[string]string{"App": "payments", "Host": "All"}, Panels: map[string]string{
			"Who else": sceneHost,
		}},
		{Question: "payments: what next, the line", URL: link, Clicks: []string{"Exceptions & events"}, Title: ofExceptions, Panels: map[string]string{
			"Exceptions with their stacks": `at statementLine \(.*payments/index\.js:\d+`,
		}},
	}, path{Question: "payments: what next, the runbook", URL: told.Annotations["runbook_url"], Text: `PM2CrashLoop.*Mitigation`})
}

// slowRoutePaths are those of somebody who is told that POST /pay is slow.
func slowRoutePaths(told uptest.Told) []path {
	link := told.Annotations["dashboard_url"]
	return onBoards([]path{
		{Question: "checkout: what broke", URL: link, Title: ofRoutes, Chosen: map[string]string{"App": "checkout", "Route": "/pay"}, Panels: map[string]string{
			"p95": `[1-9].*s`, "Routes": `/pay`,
		}},
		{Question: "checkout: since when", URL: link, Title: ofRoutes, Panels: map[string]string{
			"Slowest routes (p95)": `/pay`, "How long requests take": ``,
		}},
		{Question: "checkout: which deploy, the mark", URL: link, Title: ofRoutes, Marks: []string{"Deploys", "Firing alerts"}},
		{Question: "checkout: which deploy", URL: link, Clicks: []string{"Application"}, Title: ofApplication, Chosen: map[string]string{"App": "checkout"}, Panels: map[string]string{
			"Versions that run": `1\.5\.0`, "Starts, ends and deploys": `deployed 1\.5\.0, was 1\.4\.0`,
		}},
		{Question: "checkout: who else", URL: link, Clicks: []string{"Application", "All hosts"}, Title: ofApplication, Chosen: map[string]string{"App": "checkout", "Host": "All"}, Panels: map[string]string{
			"Slowest hosts (p95)": sceneHost,
		}},
		{Question: "checkout: what next, single requests", URL: link, Title: ofRoutes, Panels: map[string]string{
			"Slow requests, one by one": `POST /pay`,
		}},
	}, path{Question: "checkout: what next, the runbook", URL: told.Annotations["runbook_url"], Text: `PM2RouteSlow.*Mitigation`})
}

// onBoards waits for all panels of the pages that are boards.
func onBoards(boards []path, others ...path) []path {
	for i := range boards {
		boards[i].Wait, boards[i].Patience = drawn, 120_000
	}
	return append(boards, others...)
}

// held waits for an alert that Alertmanager has, told or kept quiet by a larger one.
func held(t *testing.T, address string, within time.Duration, alert, app string) uptest.Told {
	t.Helper()
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var all []uptest.Told
	pm2test.Eventually(t, within, func() error {
		res, err := client.Get(address + "/alertmanager/api/v2/alerts?filter=" + url.QueryEscape("alertname="+alert) + "&filter=" + url.QueryEscape("app="+app))
		if err != nil {
			return err
		}
		defer res.Body.Close()
		var found []struct{ Labels, Annotations map[string]string }
		if err := json.NewDecoder(res.Body).Decode(&found); err != nil {
			return err
		}
		if len(found) == 0 {
			return fmt.Errorf("no %s of %s", alert, app)
		}
		all = append(all, uptest.Told{Labels: found[0].Labels, Annotations: found[0].Annotations})
		return nil
	})
	return all[0]
}
