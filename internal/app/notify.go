package app

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Notify tells systemd, where it listens, how far we are.
func Notify(logger log.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		level.Warn(logger).Log("msg", "Can not notify systemd", "err", err)
	}
}

// Watchdog tells systemd that we live, at half the interval that it asks for.
func Watchdog(ctx context.Context, logger log.Logger) {
	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval <= 0 {
		return
	}
	ticker := time.NewTicker(interval / 2)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			Notify(logger, daemon.SdNotifyWatchdog)
		}
	}
}

// UntilDone tells systemd that we are ready and waits until ctx is done or
// serving ends, which it should not. Each hangup reloads.
func UntilDone(ctx context.Context, logger log.Logger, served <-chan error, hangups <-chan os.Signal, reload func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go Watchdog(ctx, logger)
	Notify(logger, daemon.SdNotifyReady)
	defer Notify(logger, daemon.SdNotifyStopping)
	for {
		select {
		case err := <-served:
			return fmt.Errorf("serving HTTP: %w", err)
		case <-ctx.Done():
			return nil
		case <-hangups:
			reload()
		}
	}
}

// WarnIfManaged warns when PM2 itself runs the agent: it would end together
// with what it watches.
func WarnIfManaged(logger log.Logger, getenv func(string) string) {
	if getenv("pm_id") != "" && getenv("PM2_HOME") != "" {
		level.Warn(logger).Log("msg", "PM2 runs this agent, so it ends whenever PM2 does and can not tell of it; run it as a service of the system instead (deploy/systemd)")
	}
}
