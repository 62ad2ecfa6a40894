package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// notify tells systemd, where it listens, how far we are.
func notify(logger log.Logger, state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		level.Warn(logger).Log("msg", "Can not notify systemd", "err", err)
	}
}

// watchdog tells systemd that we live, at half the interval that it asks for.
func watchdog(ctx context.Context, logger log.Logger) {
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
			notify(logger, daemon.SdNotifyWatchdog)
		}
	}
}

func systemdListeners() ([]net.Listener, error) {
	listeners, err := activation.Listeners()
	if err != nil {
		return nil, fmt.Errorf("taking the sockets from systemd: %w", err)
	}
	if len(listeners) == 0 {
		return nil, errors.New("systemd passed no socket: start the agent through its .socket unit, or leave out --web.systemd-socket")
	}
	return listeners, nil
}

// explainListen says who holds a port that is taken, and what to do.
func explainListen(address string, err error) error {
	if !errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("listening: %w; choose another address with --web.listen-address", err)
	}
	holder := "another program"
	_, port, splitErr := net.SplitHostPort(address)
	n, convErr := strconv.Atoi(port)
	if splitErr == nil && convErr == nil {
		if found := portHolder(n); found != "" {
			holder = found
		}
	}
	return fmt.Errorf("%s is taken by %s (9209 is also the default of pm2-metrics): stop it, or give the agent another address, such as --web.listen-address=127.0.0.1:%d", address, holder, n+1)
}

// portHolder names the process that listens on a TCP port, where we may see
// it.
func portHolder(port int) string {
	inodes := map[string]bool{}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		data, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(data)) {
			f := strings.Fields(line)
			if len(f) > 9 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
				inodes["socket:["+f[9]+"]"] = true
			}
		}
	}
	links, _ := filepath.Glob("/proc/[0-9]*/fd/*")
	for _, link := range links {
		if target, err := os.Readlink(link); err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(link, "/")[2]
		name, _ := os.ReadFile("/proc/" + pid + "/comm")
		return fmt.Sprintf("%q (pid %s)", strings.TrimSpace(string(name)), pid)
	}
	return ""
}

// WarnIfManaged warns when PM2 itself runs the agent: it would end together
// with what it watches.
func WarnIfManaged(logger log.Logger, getenv func(string) string) {
	if getenv("pm_id") != "" && getenv("PM2_HOME") != "" {
		level.Warn(logger).Log("msg", "PM2 runs this agent, so it ends whenever PM2 does and can not tell of it; run it as a service of the system instead (deploy/systemd)")
	}
}
