package alertmanager

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/inhibit"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"
	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"
)

// drainTimeout bounds how long a reload waits for deliveries to end. They are
// canceled, so that only a receiver that does not listen to that takes time.
const drainTimeout = 5 * time.Second

// generation is all that is made anew with each configuration.
type generation struct {
	dispatcher *dispatch.Dispatcher
	inhibitor  *inhibit.Inhibitor
	gate       *gate
}

// stop ends deliveries, and waits for those under way until ctx is done.
func (g *generation) stop(ctx context.Context) error {
	if g == nil {
		return nil
	}
	g.inhibitor.Stop()
	g.dispatcher.Stop()
	return g.gate.close(ctx)
}

// prepared is all of a configuration that can fail.
type prepared struct {
	templates *template.Template
	routes    *dispatch.Route
	receivers map[string][]notify.Integration
	intervals map[string][]timeinterval.TimeInterval
}

func prepare(conf *config.Config, logger *slog.Logger, client ...commoncfg.HTTPClientOption) (prepared, error) {
	p := prepared{receivers: map[string][]notify.Integration{}, intervals: map[string][]timeinterval.TimeInterval{}}
	var err error
	if p.templates, err = newTemplates(conf.Templates); err != nil {
		return p, fmt.Errorf("templates: %w", err)
	}
	p.routes = dispatch.NewRoute(conf.Route, nil)
	used := map[string]bool{}
	p.routes.Walk(func(r *dispatch.Route) { used[r.RouteOpts.Receiver] = true })
	for _, r := range conf.Receivers {
		if !used[r.Name] {
			continue
		}
		if p.receivers[r.Name], err = receiver.BuildReceiverIntegrations(r, p.templates, logger, client...); err != nil {
			return p, fmt.Errorf("receiver %q: %w", r.Name, err)
		}
	}
	for _, i := range conf.MuteTimeIntervals {
		p.intervals[i.Name] = i.TimeIntervals
	}
	for _, i := range conf.TimeIntervals {
		p.intervals[i.Name] = i.TimeIntervals
	}
	return p, nil
}

// Check reports what Reload would refuse.
func (s *Server) Check(conf *config.Config) error {
	_, err := prepare(conf, s.opts.Logger, s.client()...)
	return err
}

// client is how receivers are reached over HTTP.
func (s *Server) client() []commoncfg.HTTPClientOption {
	if s.opts.Dial == nil {
		return nil
	}
	return []commoncfg.HTTPClientOption{commoncfg.WithDialContextFunc(s.opts.Dial)}
}

// Reload takes a configuration; one that is wrong changes nothing.
func (s *Server) Reload(conf *config.Config) error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	if s.closed {
		return errClosed
	}
	p, err := prepare(conf, s.opts.Logger, s.client()...)
	if err != nil {
		s.metrics.loadedOK.Set(0)
		return err
	}
	p.templates.ExternalURL = s.opts.ExternalURL
	s.advise(conf, p.routes)
	drain, cancel := context.WithTimeout(context.Background(), drainTimeout)
	defer cancel()
	if err := s.live.Load().stop(drain); err != nil {
		s.opts.Logger.Warn("A delivery of the last configuration is still under way", "err", err)
	}
	s.api.Update(conf, s.mutes)
	s.live.Store(s.begin(conf, p))
	s.integrations.Store(int64(s.metrics.loaded(p, len(conf.InhibitRules), s.opts.Now())))
	return nil
}

// ReloadFailed is for who could not read a configuration at all: the metric
// alertmanager_config_last_reload_successful tells of it.
func (s *Server) ReloadFailed() { s.metrics.loadedOK.Set(0) }

func (s *Server) begin(conf *config.Config, p prepared) *generation {
	g := &generation{inhibitor: inhibit.NewInhibitor(s.alerts, conf.InhibitRules, s.opts.Logger, s.recorder)}
	g.gate = &gate{firing: s.firing, failures: s.failures, next: s.pipelines.New(p.receivers, func() time.Duration { return 0 },
		g.inhibitor, s.silencer, timeinterval.NewIntervener(p.intervals), s.groups, s.deliveries, nil)}
	g.dispatcher = dispatch.NewDispatcher(s.alerts, p.routes, g.gate, s.groups,
		func(d time.Duration) time.Duration { return max(d, notify.MinTimeout) },
		dispatchUpkeep, nil, s.opts.Logger, s.recorder, s.dispatched, p.templates)
	// The inhibitor has to know what fires before anything is told.
	go g.inhibitor.Run()
	g.inhibitor.WaitForLoading()
	go g.dispatcher.Run(s.birth)
	g.dispatcher.WaitForLoading()
	return g
}

// mutes tells the API what keeps an alert from being told.
func (s *Server) mutes(ctx context.Context, labels model.LabelSet) {
	s.live.Load().inhibitor.Mutes(ctx, labels)
	s.silencer.Mutes(ctx, labels)
}

// advise tells of what a configuration says in vain.
func (s *Server) advise(conf *config.Config, routes *dispatch.Route) {
	r := conf.EventRecorder
	if conf.TracingConfig.Endpoint != "" || len(r.FileOutputs)+len(r.WebhookOutputs)+len(r.KafkaOutputs)+len(r.StdoutOutputs) > 0 {
		s.opts.Logger.Warn("The sections tracing and event_recorder of Alertmanager's configuration have no effect here")
	}
	routes.Walk(func(r *dispatch.Route) {
		if r.RouteOpts.RepeatInterval > s.opts.Retention {
			s.opts.Logger.Warn("A repeat_interval is longer than deliveries are remembered: messages are repeated more often",
				"route", r.Key(), "repeat_interval", r.RouteOpts.RepeatInterval, "remembered", s.opts.Retention)
		}
	})
}

// Close ends deliveries and writes all that is kept. When ctx is done before
// that, the rest is done while Close has returned already.
func (s *Server) Close(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.close(ctx) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		// Not for long: only a disk that hangs takes time from here on.
		select {
		case err := <-done:
			return err
		case <-time.After(time.Second):
			return fmt.Errorf("closing alertmanager: %w", ctx.Err())
		}
	}
}

func (s *Server) close(ctx context.Context) error {
	s.reloads.Lock()
	defer s.reloads.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.live.Load().stop(ctx)
	close(s.stop)
	s.upkeep.Wait()
	if s.taken {
		s.firing.save()
	}
	if s.alerts != nil {
		s.alerts.Close()
	}
	for _, j := range s.journals {
		j.close()
	}
	return err
}
