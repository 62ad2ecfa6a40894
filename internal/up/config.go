package up

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery/targetgroup"
	"go.yaml.in/yaml/v2"

	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/scrapejob"
)

// Hosts of the in-memory network.
const (
	agentHost        = "agent"
	selfHost         = "pm25"
	alertmanagerHost = "alertmanager"
)

// target is one target of a built-in job with its labels.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// builtin is the configuration of Prometheus without a file of the user's: the
// agents of this host, those of other hosts that push and say where they are or
// that a file names, this program itself.
// The strings are JSON, which is YAML too.
const builtin = scrapejob.Global + `
scrape_configs:
  - job_name: pm2
` + scrapejob.Agents + `    http_sd_configs:
      - {url: "http://pm25.in-process/local", refresh_interval: 5s}
      - {url: "http://pm25.in-process/pushed", refresh_interval: 10s}
    file_sd_configs: %s
  - job_name: pm25
    scrape_interval: 15s
    scrape_timeout: 10s
    static_configs: %s
alerting:
  alertmanagers:
    - static_configs: [{targets: ["alertmanager.in-process:80"]}]
`

// prometheusConfig is what the embedded Prometheus runs by: the built-in
// configuration, or the user's file with the built-in jobs that it does not
// name, and our Alertmanager.
func prometheusConfig(file, host string, targetFiles []string, logger *slog.Logger) (*config.Config, error) {
	base, err := loadBuiltin(host, targetFiles, logger)
	if err != nil || file == "" {
		return base, err
	}
	conf, err := config.LoadFile(file, false, logger)
	if err != nil {
		return nil, fmt.Errorf("--config.file: %w", err)
	}
	theirs, err := conf.GetScrapeConfigs() // those of scrape_config_files too
	if err != nil {
		return nil, fmt.Errorf("--config.file: scrape_config_files: %w", err)
	}
	for _, job := range base.ScrapeConfigs {
		named := func(s *config.ScrapeConfig) bool { return s.JobName == job.JobName }
		if !slices.ContainsFunc(theirs, named) {
			conf.ScrapeConfigs = append(conf.ScrapeConfigs, job)
			continue
		}
		logger.Warn("The configuration file has a job of this name, so the built-in one is left out", "file", file, "job", job.JobName)
	}
	conf.AlertingConfig.AlertmanagerConfigs = append(conf.AlertingConfig.AlertmanagerConfigs, base.AlertingConfig.AlertmanagerConfigs...)
	return conf, nil
}

func loadBuiltin(host string, targetFiles []string, logger *slog.Logger) (*config.Config, error) {
	files := []map[string]any{}
	if len(targetFiles) > 0 {
		files = append(files, map[string]any{"files": targetFiles, "refresh_interval": "30s"})
	}
	self := []target{{Targets: []string{selfHost + memnet.Suffix + ":80"}, Labels: map[string]string{"instance": host, "host": host}}}
	conf, err := config.Load(fmt.Sprintf(builtin, inYAML(files), inYAML(self)), logger)
	if err != nil {
		return nil, fmt.Errorf("built-in configuration: %w", err)
	}
	return conf, nil
}

func inYAML(v any) string {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // strings and maps of strings
	}
	return string(data)
}

// checkTargetFiles reports a file of targets that Prometheus would take for
// empty: it only logs what it can not read.
func checkTargetFiles(files []string) error {
	for _, pattern := range files {
		switch filepath.Ext(pattern) {
		case ".json", ".yml", ".yaml":
		default:
			return fmt.Errorf("--targets=%s: its name has to end in .json, .yml or .yaml", pattern)
		}
		found, err := filepath.Glob(pattern)
		if err == nil && len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
			_, err = os.Stat(pattern)
		}
		if err != nil {
			return fmt.Errorf("--targets=%s: %w", pattern, err)
		}
		for _, name := range found {
			if err := checkTargetFile(name); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkTargetFile(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("--targets: %w", err)
	}
	var groups []*targetgroup.Group
	if filepath.Ext(name) == ".json" {
		err = json.Unmarshal(data, &groups)
	} else {
		err = yaml.UnmarshalStrict(data, &groups)
	}
	for _, g := range groups {
		for _, t := range g.Targets {
			if err == nil {
				err = config.CheckTargetAddress(t[model.AddressLabel])
			}
		}
	}
	if err != nil {
		return fmt.Errorf("--targets: %s: %w; it has to be a list such as [{\"targets\": [\"10.0.0.5:9209\"], \"labels\": {\"host\": \"web-1\"}}]", name, err)
	}
	return nil
}
