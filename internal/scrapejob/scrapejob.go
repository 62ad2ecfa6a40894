// Package scrapejob holds what a Prometheus needs to know to scrape agents,
// whether it is the one inside pm25 or one of the user's own. Where the agents
// are is not in it.
package scrapejob

// Global is the section of a file whose alerts come in time.
const Global = `global:
  scrape_interval: 5s
  scrape_timeout: 4s
  evaluation_interval: 5s
`

// Agents are settings of the job that scrapes agents: text of a job in a list
// of scrape_configs that is not indented more than the rest of the file.
const Agents = `    scrape_native_histograms: true
    always_scrape_classic_histograms: true
    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, OpenMetricsText0.0.1, PrometheusText0.0.4]
    sample_limit: 200000
    body_size_limit: 64MB
    relabel_configs:
      # Whoever names no host is named by the address.
      - source_labels: [host, __address__]
        regex: ;(.+?)(:\d+)?
        target_label: host
        replacement: $1
`
