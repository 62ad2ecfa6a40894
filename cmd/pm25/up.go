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
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/up"
)

// addUp adds `pm25 up`.
func addUp(cli *kingpin.Application, commands map[string]func() error) {
	o := up.Options{Now: time.Now}
	var logLevel, logFormat, retention string
	retentionSize, minFree := bytesFlag{name: "storage.tsdb.retention.size"}, bytesFlag{name: "storage.min-free"}

	cmd := cli.Command("up", "Run the whole stack in one process: the PM2 exporter of this host, Prometheus, Alertmanager and a live page.")
	o.Web = kingpinflag.AddFlags(cmd, "127.0.0.1:9725")
	cmd.Flag("web.insecure", "Listen on other addresses than loopback without asking anyone for a password.").BoolVar(&o.Insecure)
	cmd.Flag("web.external-url", "Where people reach this server, for the links in alerts. Default: the first listen address.").StringVar(&o.ExternalURL)
	cmd.Flag("web.max-connections", "How many connections are served at a time.").Default(strconv.Itoa(access.DefaultMaxConnections)).IntVar(&o.MaxConnections)
	cmd.Flag("data.dir", "Folder for all that is kept.").Default(defaultDataDir()).StringVar(&o.DataDir)
	cmd.Flag("host.name", "Name of this machine.").Default(up.DefaultHostName()).StringVar(&o.HostName)
	cmd.Flag("targets", "File with the addresses of agents on other hosts, in the format of Prometheus' file_sd (JSON or YAML); repeatable, * is a wildcard.").StringsVar(&o.Targets)
	cmd.Flag("config.file", "Prometheus configuration to run by; scrape jobs that it does not name (pm2, pm25) and the Alertmanager of this process are added.").StringVar(&o.ConfigFile)
	cmd.Flag("rules.config.file", "What to alert on and when: thresholds, the language, alerts that are off (see docs/alerts.md).").StringVar(&o.RulesConfigFile)
	cmd.Flag("grafana.url", "Where Grafana is: links of alerts go to its boards instead of the live page. A grafana_url in the file of --rules.config.file wins.").StringVar(&o.GrafanaURL)
	cmd.Flag("alertmanager.config.file", "Alertmanager configuration to run by.").StringVar(&o.AlertmanagerConfigFile)
	addAlertFlags(cmd, &o.Alerting)
	cmd.Flag("alert.webhook", "Send alerts to this URL, as Alertmanager's webhook does.").StringVar(&o.WebhookURL)
	cmd.Flag("storage.tsdb.retention.time", "How long samples are kept, such as 30d.").Default("15d").StringVar(&retention)
	cmd.Flag("storage.tsdb.retention.size", "How much room samples may take, such as 5GB; 0 for any.").Default("0").SetValue(&retentionSize)
	cmd.Flag("storage.min-free", "Take no more samples when the disk has less room than this.").Default("64MiB").SetValue(&minFree)
	store := addStoreFlags(cmd)
	cmd.Flag("pm2.home", "Watch the PM2 daemon of this home, as [NAME=]PATH; repeatable. Default: every daemon that can be found.").StringsVar(&o.Homes)
	cmd.Flag("pm2.user", "Run as root, watch daemons of this user too, by name or uid, or * for all; repeatable.").StringsVar(&o.Users)
	cmd.Flag("pm2.forget-after", "How long a daemon that is gone stays pm2_up 0.").Default("24h").DurationVar(&o.ForgetAfter)
	cmd.Flag("log.lines", "How many of an app's last lines go with its exceptions and crashes.").Default(strconv.Itoa(record.MaxLogs)).IntVar(&o.Record.LogLines)
	logExceptions := cmd.Flag("log.exceptions", "Take stacks that only reach an app's log for exceptions.").Default("true").Bool()
	cmd.Flag("scrub.patterns-file", "File of RE2 expressions, one a line, whose matches are taken out of records as secrets are.").StringVar(&o.Record.ScrubFile)
	cmd.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").EnumVar(&logLevel, "debug", "info", "warn", "error")
	cmd.Flag("log.format", "Form of the log: logfmt or json.").Default("logfmt").EnumVar(&logFormat, "logfmt", "json")

	commands[cmd.FullCommand()] = func() (err error) {
		if o.StoreRetention, o.PushLimits, err = store.parsed(); err != nil {
			return err
		}
		o.StoreMaxBytes, o.SDForgetAfter, o.SourceURL = store.size.bytes, store.forgetAfter, store.sourceURL
		d, err := model.ParseDuration(retention)
		if err != nil {
			return fmt.Errorf("--storage.tsdb.retention.time: %w", err)
		}
		o.Retention, o.RetentionSize, o.MinFree = time.Duration(d), retentionSize.bytes, minFree.bytes
		o.Record.NoLogExceptions = !*logExceptions
		o.Flags = flagValues(cmd)
		o.Logger, o.Slog = app.NewLoggers(logLevel, logFormat)
		return runUp(o)
	}
}

func runUp(o up.Options) (err error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	level.Info(o.Logger).Log("msg", "Starting pm25 up", "version", version.Info(), "build_context", version.BuildContext())
	app.WarnIfManaged(o.Logger, os.Getenv)
	stack, err := up.New(o)
	if err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, stack.Close())
		level.Info(o.Logger).Log("msg", "pm25 has stopped")
	}()
	return stack.Run(ctx, hangups)
}

// flagValues lists what the command was started with, for Prometheus' status
// page. The webhook's URL may hold a token.
func flagValues(cmd *kingpin.CmdClause) map[string]string {
	values := map[string]string{}
	for _, f := range cmd.Model().Flags {
		if f.Hidden || f.Value == nil {
			continue
		}
		values[f.Name] = f.Value.String()
	}
	if values["alert.webhook"] != "" {
		values["alert.webhook"] = "<secret>"
	}
	return values
}
