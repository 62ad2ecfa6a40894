package rules

import (
	"context"
	"net/url"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/template"
)

// TestSilenceInAlertmanager: the link to an Alertmanager of one's own fills its
// form with matchers of just this alert, whatever names apps have.
func TestSilenceInAlertmanager(t *testing.T) {
	c := Default()
	c.AlertmanagerURL = "https://alerts.example.com/am/"
	series := map[string]string{
		"instance": "10.0.0.5:9209", "daemon": "deploy", "pm2_namespace": "default", "app": `a "b" + c&d, e}`, "pm_id": "3", "method": "GET", "route": "/:id",
		"group": "0f1e2d3c", "bucket": "shop",
	}
	defs := "{{$labels := .Labels}}{{$externalURL := .ExternalURL}}{{$value := .Value}}"
	for _, host := range []string{"", "web 1"} {
		series["host"] = host
		for _, a := range Alerts(c) {
			data := template.AlertTemplateData(series, nil, "http://prometheus", promql.Sample{})
			text, err := template.NewTemplateExpander(context.Background(), defs+links{c}.silence(a), a.Name, data, model.Now(), nil, &url.URL{}, nil).Expand()
			if err != nil {
				t.Fatalf("%s: %v", a.Name, err)
			}
			filter, ok := strings.CutPrefix(text, "https://alerts.example.com/am/#/silences/new?filter=")
			if filter, err = url.PathUnescape(filter); !ok || err != nil {
				t.Fatalf("%s: %s, %v", a.Name, text, err)
			}
			matchers, err := compat.Matchers(filter, "test")
			if err != nil || len(matchers) != 1+len(a.Scope.labels()) {
				t.Errorf("%s: %s: %v, %v", a.Name, filter, matchers, err)
			}
			for _, m := range matchers {
				if want, ok := series[m.Name]; ok && m.Value != want || m.Name == "host" && host == "" {
					t.Errorf("%s: %s is %q", a.Name, m.Name, m.Value)
				}
			}
		}
	}
}
