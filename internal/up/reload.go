package up

import (
	"errors"
	"fmt"

	"github.com/go-kit/log/level"
	amconfig "github.com/prometheus/alertmanager/config"
	promconfig "github.com/prometheus/prometheus/config"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/prom"
)

// loaded is one reading of all configuration, checked.
type loaded struct {
	prometheus   *promconfig.Config
	alertmanager *amconfig.Config
}

// Reload reads the configuration files again. With anything wrong in them the
// running configuration stays.
func (s *Stack) Reload() error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	l, err := s.load()
	if err != nil {
		return fmt.Errorf("reading the configuration, the running one stays: %w", err)
	}
	return errors.Join(s.alertmanager.Reload(l.alertmanager), s.prometheus.Reload(l.prometheus))
}

// reload is a Reload that nobody waits for.
func (s *Stack) reload(why string) {
	if err := s.Reload(); err != nil {
		level.Error(s.opts.Logger).Log("msg", "Reload failed", "why", why, "err", err)
		return
	}
	level.Info(s.opts.Logger).Log("msg", "Configuration is reloaded", "why", why)
}

func (s *Stack) load() (loaded, error) {
	o := s.opts
	agents := append([]target{{
		Targets: []string{agentHost + memnet.Suffix + ":80"},
		Labels:  map[string]string{"host": o.HostName, "instance": o.HostName},
	}}, s.neighbors.targets(o.HostName)...)
	var l loaded
	var err error
	l.prometheus, err = prometheusConfig(o.ConfigFile, o.HostName, agents, o.Targets, o.Slog)
	if err != nil {
		return l, err
	}
	if err := prom.Check(l.prometheus, s.rules, o.Slog); err != nil {
		return l, err
	}
	if o.AlertmanagerConfigFile == "" {
		l.alertmanager, err = alertmanager.Default(o.WebhookURL)
		return l, err
	}
	if l.alertmanager, err = alertmanager.LoadFile(o.AlertmanagerConfigFile); err != nil {
		return l, fmt.Errorf("--alertmanager.config.file: %w", err)
	}
	return l, nil
}
