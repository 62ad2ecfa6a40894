package generate

import (
	"strings"
	"text/template"

	"github.com/pm25/pm25/internal/scrapejob"
	"github.com/pm25/pm25/rules"
)

// prometheusConfig is what `pm25 up` runs by, for a Prometheus of one's own:
// the same jobs, intervals and labels.
const prometheusConfig = `# Written by pm25 generate.
` + scrapejob.Global + `
rule_files: [rules/*.yml]

alerting:
  alertmanagers:
    - scheme: {{ .Alertmanager.Scheme }}
      static_configs: [{targets: [{{ quote .Alertmanager.Host }}]}]

scrape_configs:
  # The agents that push to the server and tell where their metrics are (--web.advertise-address). It gives them the
  # labels host and bucket.
  - job_name: {{ quote .Rules.Job }}
` + scrapejob.Agents + `    http_sd_configs:
      - url: {{ quote .SD }}
        refresh_interval: 10s
{{- with .Credentials }}
        authorization: {credentials_file: {{ quote . }}}
{{- end }}
    # Agents that push nowhere are listed here by hand, with a label host each.
    file_sd_configs:
      - files: [targets/*.yml, targets/*.json]
        refresh_interval: 30s

  - job_name: {{ quote .Rules.ServerJob }}
    scrape_interval: 15s
    scrape_timeout: 10s
    scheme: {{ .Server.Scheme }}
    metrics_path: {{ quote .MetricsPath }}
{{- with .Credentials }}
    authorization: {credentials_file: {{ quote . }}}
{{- end }}
    static_configs: [{targets: [{{ quote .Server.Host }}]}]

  - job_name: prometheus
    scrape_interval: 15s
    scrape_timeout: 10s
    scheme: {{ .Prometheus.Scheme }}
    static_configs: [{targets: [{{ quote .Prometheus.Host }}]}]

  - job_name: alertmanager
    scrape_interval: 15s
    scrape_timeout: 10s
    scheme: {{ .Alertmanager.Scheme }}
    static_configs: [{targets: [{{ quote .Alertmanager.Host }}]}]
`

// noTargets makes the folder that Prometheus watches.
const noTargets = `# Written by pm25 generate. Agents that push nowhere go into another file beside this one:
#
#   - targets: ["10.0.0.5:9209"]
#     labels: {host: web-1}
[]
`

type endpoint struct{ Scheme, Host string }

func endpointOf(text string) endpoint {
	scheme, host, _ := address(text)
	return endpoint{scheme, host}
}

func prometheusFiles(o Options) ([]File, error) {
	_, _, prefix := address(o.Server)
	text, err := render(prometheusConfig, map[string]any{
		"Rules": o.Rules, "SD": strings.TrimSuffix(o.Server, "/") + "/api/v1/sd", "MetricsPath": prefix + "/metrics", "Credentials": o.ServerCredentials,
		"Server": endpointOf(o.Server), "Prometheus": endpointOf(o.Prometheus), "Alertmanager": endpointOf(o.Alertmanager),
	})
	if err != nil {
		return nil, err
	}
	return []File{
		{"prometheus/prometheus.yml", text},
		{rulesPath, []byte(rules.File(o.Rules))},
		{"prometheus/targets/none.yml", []byte(noTargets)},
	}, nil
}

const rulesPath = "prometheus/rules/pm25.yml"

// render fills a template of YAML; quote makes one scalar of a text.
func render(text string, data any) ([]byte, error) {
	t, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{"quote": quote}).Parse(text)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	if err := t.Execute(&b, data); err != nil {
		return nil, err
	}
	return []byte(b.String()), nil
}

// quote writes a YAML string in which nothing has a meaning.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
