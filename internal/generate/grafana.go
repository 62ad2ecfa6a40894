package generate

import (
	"strings"

	"github.com/pm25/pm25/dashboards"
)

// datasources are where boards take their data from. The uids stay, so that
// links and saved panels go on to work.
const datasources = `# Written by pm25 generate.
apiVersion: 1
datasources:
  - name: Prometheus
    uid: pm25-prometheus
    type: prometheus
    access: proxy
    url: {{ quote .Prometheus }}
    isDefault: true
    editable: false
    jsonData:
      httpMethod: POST
      prometheusType: Prometheus
      timeInterval: 5s
      manageAlerts: true
      alertmanagerUid: pm25-alertmanager

  # PM25's server answers as Loki does.
  - name: PM25
    uid: pm25-loki
    type: loki
    access: proxy
    url: {{ quote .Server }}
    editable: false
    jsonData:
      maxLines: 1000
      manageAlerts: false

  - name: Alertmanager
    uid: pm25-alertmanager
    type: alertmanager
    access: proxy
    url: {{ quote .Alertmanager }}
    editable: false
    jsonData:
      implementation: prometheus
      handleGrafanaManagedAlerts: false
`

const dashboardProvider = `# Written by pm25 generate.
apiVersion: 1
providers:
  - name: pm25
    orgId: 1
    folder: PM25
    folderUid: pm25
    type: file
    disableDeletion: true
    allowUiUpdates: false
    updateIntervalSeconds: 30
    options:
      path: {{ quote .Boards }}
`

func grafanaFiles(o Options) ([]File, error) {
	trimmed := o
	for _, a := range []*string{&trimmed.Server, &trimmed.Prometheus, &trimmed.Alertmanager} {
		*a = strings.TrimSuffix(*a, "/")
	}
	sources, err := render(datasources, trimmed)
	if err != nil {
		return nil, err
	}
	provider, err := render(dashboardProvider, trimmed)
	if err != nil {
		return nil, err
	}
	boards, err := boardFiles(o)
	if err != nil {
		return nil, err
	}
	return append(boards,
		File{"grafana/provisioning/datasources/pm25.yml", sources},
		File{"grafana/provisioning/dashboards/pm25.yml", provider},
	), nil
}

// boardFiles are the boards as JSON, one file for each, below
// grafana/dashboards/.
func boardFiles(o Options) ([]File, error) {
	boards, err := dashboards.All(dashboards.For(o.Rules))
	if err != nil {
		return nil, err
	}
	var files []File
	for _, b := range boards {
		text, err := b.JSON()
		if err != nil {
			return nil, err
		}
		files = append(files, File{"grafana/dashboards/" + b.UID + ".json", text})
	}
	return files, nil
}
