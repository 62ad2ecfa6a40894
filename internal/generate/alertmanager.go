package generate

// alertmanagerConfig tells nobody. Routes and receivers are a team's own.
const alertmanagerConfig = `# Written by pm25 generate. It groups alerts and tells nobody.
route:
  receiver: nobody
  group_by: [alertname, host, daemon, pm2_namespace, app]
  group_wait: 5s
  group_interval: 30s
  repeat_interval: 4h

receivers:
  - name: nobody
`

func alertmanagerFiles(Options) ([]File, error) {
	return []File{{"alertmanager/alertmanager.yml", []byte(alertmanagerConfig)}}, nil
}
