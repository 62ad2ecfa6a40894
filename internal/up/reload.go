package up

import (
	"fmt"

	"github.com/go-kit/log/level"
	amconfig "github.com/prometheus/alertmanager/config"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/prom"
	"github.com/pm25/pm25/internal/routingfiles"
	"github.com/pm25/pm25/rules/routing"
)

// loaded is one reading of all configuration, checked.
type loaded struct {
	prometheus   *promconfig.Config
	rules        map[string]string // built-in rule files, by name
	alertmanager *amconfig.Config
	routing      routingfiles.Files // empty without files
}

// Reload reads the configuration files again. With anything wrong in them the
// running configuration stays. It is logged with the reason for it.
func (s *Stack) Reload(why string) error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	err := s.reload()
	if err != nil {
		// Metrics of both tell of it, whichever file is to blame.
		s.prometheus.ReloadFailed()
		s.alertmanager.ReloadFailed()
		level.Error(s.opts.Logger).Log("msg", "Reload failed, the running configuration stays", "why", why, "err", err)
		return err
	}
	level.Info(s.opts.Logger).Log("msg", "Configuration is reloaded", "why", why)
	return nil
}

// reload takes both or none.
func (s *Stack) reload() error {
	l, err := s.load()
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	if err := s.alertmanager.Check(l.alertmanager); err != nil {
		return fmt.Errorf("alertmanager: %w", err)
	}
	if err := s.prometheus.Reload(l.prometheus, l.rules); err != nil {
		return fmt.Errorf("prometheus: %w", err)
	}
	s.bridge.Reload(l.routing.Receivers, l.routing.Owners) // before who asks it
	return s.alertmanager.Reload(l.alertmanager)
}

func (s *Stack) load() (loaded, error) {
	o := s.opts
	var l loaded
	err := checkTargetFiles(o.Targets)
	if err != nil {
		return l, err
	}
	l.prometheus, err = prometheusConfig(o.ConfigFile, o.HostName, o.Targets, o.Slog)
	if err != nil {
		return l, err
	}
	if l.alertmanager, l.routing, err = s.alertmanagerConfig(); err != nil {
		return l, err
	}
	if l.rules, err = o.rules(l.routing.Receivers.Language); err != nil {
		return l, err
	}
	return l, prom.Check(l.prometheus, l.rules, o.Slog)
}

// alertmanagerConfig is of the files of receivers and owners, of Alertmanager's
// own file, or built in.
func (s *Stack) alertmanagerConfig() (conf *amconfig.Config, files routingfiles.Files, err error) {
	o := s.opts
	if o.AlertmanagerConfigFile != "" {
		if conf, err = alertmanager.LoadFile(o.AlertmanagerConfigFile); err != nil {
			return nil, files, fmt.Errorf("--alertmanager.config.file: %w", err)
		}
		return conf, files, nil
	}
	if o.Alerting.Receivers == "" {
		conf, err = alertmanager.Default(o.WebhookURL)
		return conf, files, err
	}
	if files, err = routingfiles.Read(o.Alerting); err != nil {
		return nil, files, err
	}
	for _, warning := range files.Warnings {
		o.Slog.Warn(warning)
	}
	text, err := routing.Alertmanager(files.Receivers, files.Owners, routing.Options{BridgeURL: "http://" + notifyHost + memnet.Suffix})
	if err != nil {
		return nil, files, fmt.Errorf("--alert.receivers-file: %w", err)
	}
	if conf, err = alertmanager.Load(text); err != nil {
		return nil, files, fmt.Errorf("--alert.receivers-file %s: %w", o.Alerting.Receivers, err)
	}
	return conf, files, nil
}
