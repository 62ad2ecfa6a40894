package up

import (
	"fmt"

	"github.com/pm25/pm25/internal/notify"
	"github.com/pm25/pm25/internal/notify/facts"
)

// notifyHost is where the bridge to chat robots answers in this process.
const notifyHost = "notify"

// startBridge starts what passes alerts on to chat robots. Prometheus is open, and
// Alertmanager begins later and ends before.
func (s *Stack) startBridge() (err error) {
	s.bridge, err = notify.New(notify.Options{
		Receivers: s.first.routing.Receivers, Owners: s.first.routing.Owners, ExternalURL: s.external,
		Facts:    []notify.Facts{facts.NewStore(s.central.Store(), s.opts.Now), facts.NewMetrics(facts.FromEngine(s.prometheus), s.opts.Now)},
		Registry: s.registry, Logger: s.opts.Slog.With("component", "notify"), Now: s.opts.Now,
	})
	if err != nil {
		return fmt.Errorf("bridge to chat robots: %w", err)
	}
	s.onStop("bridge to chat robots", s.bridge.Close)
	s.serveInMemory(notifyHost, s.bridge.Handler())
	return nil
}
