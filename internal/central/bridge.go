package central

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/notify"
	"github.com/pm25/pm25/internal/notify/facts"
	"github.com/pm25/pm25/internal/routingfiles"
)

func checkPrometheusURL(address string) error {
	if address == "" {
		return nil
	}
	if u, err := url.Parse(address); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("--prometheus.url is no URL that begins with http:// or https:// and names a host")
	}
	return nil
}

// startBridge starts what passes alerts on to chat robots. Without a file of
// receivers there are none, and it says so to who asks.
func (p *Program) startBridge() error {
	files, err := p.routing()
	if err != nil {
		return err
	}
	known := []notify.Facts{facts.NewStore(p.central.Store(), p.opts.Now)}
	if p.opts.PrometheusURL != "" {
		querier, err := facts.FromServer(p.opts.PrometheusURL)
		if err != nil {
			return fmt.Errorf("--prometheus.url: %w", err)
		}
		known = append(known, facts.NewMetrics(querier, p.opts.Now))
	}
	p.bridge, err = notify.New(notify.Options{
		Receivers: files.Receivers, Owners: files.Owners, Facts: known, ExternalURL: p.external,
		Registry: p.registry, Logger: p.opts.Slog.With("component", "notify"), Now: p.opts.Now,
	})
	if err != nil {
		return err
	}
	p.onStop(func(ctx context.Context) error { return p.bridge.Close(ctx) })
	return nil
}

// routing reads the files, if there are any.
func (p *Program) routing() (routingfiles.Files, error) {
	if p.opts.Alerting.Receivers == "" {
		return routingfiles.Files{}, nil
	}
	files, err := routingfiles.Read(p.opts.Alerting)
	for _, warning := range files.Warnings {
		p.opts.Slog.Warn(warning)
	}
	return files, err
}

// Reload reads anew who is told of alerts. With anything wrong in the files those
// that were read before stay. It is logged with the reason for it.
func (p *Program) Reload(why string) error {
	p.reloads.Lock()
	defer p.reloads.Unlock()
	files, err := p.routing()
	if err != nil {
		level.Error(p.opts.Logger).Log("msg", "Reload failed, who was told before is told now", "why", why, "err", err)
		return err
	}
	p.bridge.Reload(files.Receivers, files.Owners)
	level.Info(p.opts.Logger).Log("msg", "Receivers and owners are reloaded; certificates and users are read anew whenever they change", "why", why, "robots", len(files.Receivers.Robots()))
	return nil
}
