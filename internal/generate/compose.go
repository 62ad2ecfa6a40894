package generate

import "github.com/pm25/pm25/rules"

//go:generate go run ./gen ../../deploy/compose/generated

// Compose are the options for docker-compose.yml: services by their names, links
// by the ports that are open on loopback.
func Compose() Options {
	c := rules.Default()
	c.PM25URL, c.GrafanaURL = "http://localhost:9725", "http://localhost:3000"
	return Options{
		Rules: c, Server: "http://pm25:9725", Prometheus: "http://prometheus:9090", Alertmanager: "http://alertmanager:9093",
		Boards: "/etc/grafana/pm25/dashboards",
	}
}
