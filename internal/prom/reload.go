package prom

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/units"
	commonconfig "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/discovery"
	"github.com/prometheus/prometheus/util/logging"
)

// defaultExemplars is how many exemplars are kept when the file does not say.
const defaultExemplars = 100_000

// Check reports what Open and Reload would refuse: rules that can not be read,
// with file, line and rule, files of scrape jobs, and clients whose files are
// not there.
func Check(conf *config.Config, builtin map[string]string, logger *slog.Logger) error {
	jobs, err := conf.GetScrapeConfigs()
	if err != nil {
		return fmt.Errorf("scrape_config_files: %w", err)
	}
	if err := checkClients(conf, jobs); err != nil {
		return err
	}
	files, err := ruleFiles(conf, builtin)
	if err != nil {
		return err
	}
	l := loader{parser: newParser(), builtin: builtin, log: logger}
	for _, file := range files {
		if _, errs := l.Load(file, false, conf.GlobalConfig.MetricNameValidationScheme); len(errs) > 0 {
			return fmt.Errorf("rule file: %w; mend it, or take it out of rule_files", errors.Join(errs...))
		}
	}
	return nil
}

// Slowest returns the longest interval at which anything is scraped or
// evaluated.
func Slowest(conf *config.Config, builtin map[string]string, logger *slog.Logger) (time.Duration, error) {
	slowest := conf.GlobalConfig.EvaluationInterval
	jobs, err := conf.GetScrapeConfigs()
	if err != nil {
		return 0, fmt.Errorf("scrape_config_files: %w", err)
	}
	for _, job := range jobs {
		slowest = max(slowest, job.ScrapeInterval)
	}
	files, err := ruleFiles(conf, builtin)
	if err != nil {
		return 0, err
	}
	l := loader{parser: newParser(), builtin: builtin, log: logger}
	for _, file := range files {
		groups, errs := l.Load(file, false, conf.GlobalConfig.MetricNameValidationScheme)
		if len(errs) > 0 {
			return 0, errors.Join(errs...)
		}
		for _, g := range groups.Groups {
			slowest = max(slowest, g.Interval)
		}
	}
	return time.Duration(slowest), nil
}

// checkClients makes each client once, which reads the files of its TLS
// settings.
func checkClients(conf *config.Config, jobs []*config.ScrapeConfig) error {
	clients := map[string]commonconfig.HTTPClientConfig{}
	for _, job := range jobs {
		clients["scrape job "+job.JobName] = job.HTTPClientConfig
	}
	for i, am := range conf.AlertingConfig.AlertmanagerConfigs {
		clients[fmt.Sprintf("alerting.alertmanagers[%d]", i)] = am.HTTPClientConfig
	}
	for i, to := range conf.RemoteWriteConfigs {
		clients[fmt.Sprintf("remote_write[%d]", i)] = to.HTTPClientConfig
	}
	for i, from := range conf.RemoteReadConfigs {
		clients[fmt.Sprintf("remote_read[%d]", i)] = from.HTTPClientConfig
	}
	for _, where := range slices.Sorted(maps.Keys(clients)) {
		if _, err := commonconfig.NewClientFromConfig(clients[where], "check"); err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
	}
	return nil
}

// ruleFiles lists the built-in files and those that rule_files match. A name
// without a wildcard has to exist.
func ruleFiles(conf *config.Config, builtin map[string]string) ([]string, error) {
	files := slices.Sorted(maps.Keys(builtin))
	for _, pattern := range conf.RuleFiles {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, fmt.Errorf("rule_files: %s: %w", pattern, err)
		}
		if len(found) == 0 && !strings.ContainsAny(pattern, "*?[") {
			return nil, fmt.Errorf("rule_files: %s: no such file; correct the name, or take it out", pattern)
		}
		files = append(files, found...)
	}
	return files, nil
}

// Reload takes a configuration and built-in rule files, which are the Server's
// from then on. What can not be taken changes nothing.
func (s *Server) Reload(conf *config.Config, builtin map[string]string) error {
	s.state.Lock()
	defer s.state.Unlock()
	if !s.started || s.closed {
		return errors.New("prom: a configuration is reloaded between Start and Close only")
	}
	err := Check(conf, builtin, s.opts.Logger)
	if err == nil {
		err = s.take(conf, builtin)
	}
	s.lastReload.ok.Store(err == nil)
	return err
}

// ReloadFailed is for who could not read a configuration at all: the metric
// prometheus_config_last_reload_successful tells of it.
func (s *Server) ReloadFailed() { s.lastReload.ok.Store(false) }

// take applies a configuration and built-in rule files, or those before again when
// that fails midway.
func (s *Server) take(conf *config.Config, builtin map[string]string) error {
	s.complete(conf)
	before := s.builtin.Swap(&builtin)
	if err := s.apply(conf); err != nil {
		s.builtin.Store(before)
		if s.applied {
			err = errors.Join(err, s.apply(s.conf.Load()))
		}
		return err
	}
	s.applied = true
	s.conf.Store(conf)
	s.lastReload.ok.Store(true)
	s.lastReload.at.Store(s.opts.Now().Unix())
	return nil
}

// complete fills in what the file leaves to the program.
func (s *Server) complete(conf *config.Config) {
	if conf.StorageConfig.TSDBConfig == nil {
		conf.StorageConfig.TSDBConfig = &config.TSDBConfig{}
	}
	settings := conf.StorageConfig.TSDBConfig
	if settings.Retention == nil {
		settings.Retention = &config.TSDBRetentionConfig{}
	}
	if *settings.Retention == (config.TSDBRetentionConfig{}) {
		settings.Retention.Time = model.Duration(s.opts.Retention)
		settings.Retention.Size = units.Base2Bytes(s.opts.RetentionSize)
	}
	if conf.StorageConfig.ExemplarsConfig == nil {
		conf.StorageConfig.ExemplarsConfig = &config.ExemplarsConfig{MaxExemplars: defaultExemplars}
	}
}

// apply hands the configuration to all parts, in Prometheus' order: scraping
// and notifying have to know it before their discovery finds targets.
func (s *Server) apply(conf *config.Config) error {
	scrapes, err := conf.GetScrapeConfigs()
	if err != nil {
		return err
	}
	targets := map[string]discovery.Configs{}
	for _, job := range scrapes {
		targets[job.JobName] = job.ServiceDiscoveryConfigs
	}
	alertmanagers := map[string]discovery.Configs{}
	for name, am := range conf.AlertingConfig.AlertmanagerConfigs.ToMap() {
		alertmanagers[name] = am.ServiceDiscoveryConfigs
	}
	files, err := ruleFiles(conf, *s.builtin.Load())
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		take func() error
	}{
		{"storage", func() error { return s.db.ApplyConfig(conf) }},
		{"remote storage", func() error { return s.remote.ApplyConfig(conf) }},
		{"query log", func() error { return s.logQueries(conf.GlobalConfig.QueryLogFile) }},
		{"scraping", func() error { return s.scrape.ApplyConfig(conf) }},
		{"discovery of targets", func() error { return s.scrapeSD.ApplyConfig(targets) }},
		{"notifier", func() error { return s.notifier.ApplyConfig(conf) }},
		{"discovery of Alertmanagers", func() error { return s.notifySD.ApplyConfig(alertmanagers) }},
		{"rules", func() error {
			return s.rules.Update(time.Duration(conf.GlobalConfig.EvaluationInterval), files, conf.GlobalConfig.ExternalLabels, s.opts.BaseURL.String(), nil)
		}},
	} {
		if err := part.take(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

func (s *Server) logQueries(file string) error {
	if file == "" {
		s.engine.SetQueryLogger(nil)
		return nil
	}
	l, err := logging.NewJSONFileLogger(file)
	if err != nil {
		return err
	}
	s.engine.SetQueryLogger(l)
	return nil
}
