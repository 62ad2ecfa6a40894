package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/central"
	"github.com/pm25/pm25/internal/server"
)

// storeFlags are those of the store, for `pm25 server` and `pm25 up`.
type storeFlags struct {
	retention   string
	size        bytesFlag
	limits      server.Limits
	bytesSecond bytesFlag
	forgetAfter time.Duration
	sourceURL   string
}

func addStoreFlags(cmd *kingpin.CmdClause) *storeFlags {
	f := &storeFlags{size: bytesFlag{name: "store.retention.size"}, bytesSecond: bytesFlag{name: "push.max-bytes-per-second"}}
	cmd.Flag("store.retention.time", "How long records are kept, such as 30d.").Default("30d").StringVar(&f.retention)
	cmd.Flag("store.retention.size", "How much room records may take, such as 5GB; 0 for any.").Default("0").SetValue(&f.size)
	cmd.Flag("push.max-records-per-second", "How many records each bucket may push, -1 for any.").Default(strconv.Itoa(server.DefaultRecordsPerSecond)).IntVar(&f.limits.RecordsPerSecond)
	cmd.Flag("push.max-bytes-per-second", "How much each bucket may push, after decompression; -1 for any.").Default("64MiB").SetValue(&f.bytesSecond)
	cmd.Flag("sd.forget-after", "How long an agent that pushes no more is still listed for Prometheus.").Default("24h").DurationVar(&f.forgetAfter)
	cmd.Flag("source-url", "Where lines of source are seen, such as https://git.example.com/{app}/blob/{revision}/{file}#L{line}.").StringVar(&f.sourceURL)
	return f
}

// parsed returns the retention and the limits.
func (f *storeFlags) parsed() (time.Duration, server.Limits, error) {
	d, err := model.ParseDuration(f.retention)
	if err != nil {
		return 0, f.limits, fmt.Errorf("--store.retention.time: %w", err)
	}
	switch {
	case f.limits.RecordsPerSecond == 0:
		return 0, f.limits, errors.New("--push.max-records-per-second is 0, which would take nothing: give a number, or -1 for any")
	case f.bytesSecond.bytes == 0:
		return 0, f.limits, errors.New("--push.max-bytes-per-second is 0, which would take nothing: give a size such as 64MiB, or -1 for any")
	}
	f.limits.BytesPerSecond = int(f.bytesSecond.bytes)
	return time.Duration(d), f.limits, nil
}

// addServer adds `pm25 server`.
func addServer(cli *kingpin.Application, commands map[string]func() error) {
	o := central.ProgramOptions{Now: time.Now}
	var logLevel, logFormat string

	cmd := cli.Command("server", "Run the central half without Prometheus: it keeps what agents push, and answers for it.")
	o.Web = kingpinflag.AddFlags(cmd, "127.0.0.1:9725")
	cmd.Flag("web.insecure", "Listen on other addresses than loopback without asking anyone for a password.").BoolVar(&o.Insecure)
	cmd.Flag("web.external-url", "Where people reach this server. Default: the first listen address.").StringVar(&o.ExternalURL)
	cmd.Flag("web.allowed-host", "Another name by which this server may be asked where nobody needs a password, such as that of its container; repeatable.").StringsVar(&o.AllowedHosts)
	cmd.Flag("web.max-connections", "How many connections are served at a time.").Default(strconv.Itoa(access.DefaultMaxConnections)).IntVar(&o.MaxConnections)
	cmd.Flag("data.dir", "Folder for all that is kept.").Default(defaultDataDir()).StringVar(&o.DataDir)
	store := addStoreFlags(cmd)
	addAlertFlags(cmd, &o.Alerting)
	cmd.Flag("notify.token-file", "File with the token by which Alertmanager passes alerts on to chat robots; made where there is none, and its group may read it. Default: notify.token in the data folder, for its owner only.").StringVar(&o.NotifyToken)
	cmd.Flag("prometheus.url", "Prometheus that scrapes the agents, to say in messages of chat robots how much of an app is affected.").StringVar(&o.PrometheusURL)
	cmd.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").EnumVar(&logLevel, "debug", "info", "warn", "error")
	cmd.Flag("log.format", "Form of the log: logfmt or json.").Default("logfmt").EnumVar(&logFormat, "logfmt", "json")

	commands[cmd.FullCommand()] = func() (err error) {
		if o.Retention, o.Limits, err = store.parsed(); err != nil {
			return err
		}
		o.MaxBytes, o.ForgetAfter, o.SourceURL = store.size.bytes, store.forgetAfter, store.sourceURL
		o.Logger, o.Slog = app.NewLoggers(logLevel, logFormat)
		return runServer(o)
	}
}

func defaultDataDir() string { return app.DefaultStateDir("pm25", os.Getenv, os.Geteuid()) }

func runServer(o central.ProgramOptions) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	level.Info(o.Logger).Log("msg", "Starting pm25 server", "version", version.Info(), "build_context", version.BuildContext())
	p, err := central.NewProgram(o)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, p.Close())
		level.Info(o.Logger).Log("msg", "pm25 has stopped")
	}()
	return p.Run(ctx, hangups)
}
