// Command pm25-agent watches the PM2 daemons of a host and exposes them as
// Prometheus metrics.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log/level"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/extplan"
	"github.com/pm25/pm25/internal/health"
	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pm25-agent:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	o := app.Options{Collectors: map[string]bool{}, Claim: true, Now: time.Now}
	var logLevel, logFormat, forget string

	cli := kingpin.New("pm25-agent", "Watches the PM2 daemons of this host and exposes them as Prometheus metrics.")
	cli.HelpFlag.Short('h')
	cli.Version(version.Print("pm25-agent"))
	o.Web = kingpinflag.AddFlags(cli, "127.0.0.1:9209")
	cli.Command("serve", "Watch and serve metrics (the default).").Default()
	cli.Flag("web.telemetry-path", "Path of the metrics.").Default("/metrics").StringVar(&o.TelemetryPath)
	cli.Flag("web.compress", "Compress answers when asked to; it costs more than making them.").BoolVar(&o.Compress)
	cli.Flag("web.openmetrics-created", "Add a line for each created timestamp to OpenMetrics text; protobuf always has them.").BoolVar(&o.Created)
	cli.Flag("web.exporter-metrics", "Expose metrics of the agent's own process (go_*, process_*).").Default("true").BoolVar(&o.SelfMetrics)
	cli.Flag("pm2.home", "Watch the PM2 daemon of this home, as [NAME=]PATH; repeatable. Default: every daemon that can be found.").StringsVar(&o.Homes)
	cli.Flag("pm2.user", "Run as root, watch daemons of this user too, by name or uid, or * for all; repeatable.").StringsVar(&o.Users)
	cli.Flag("pm2.forget-after", "How long a daemon that is gone stays pm2_up 0.").Default("24h").DurationVar(&o.ForgetAfter)
	cli.Flag("custom.max-per-process", "How many values of @pm2/io are exposed of one process.").Default("100").IntVar(&o.CustomPerProcess)
	cli.Flag("http.max-series-per-app", "How many combinations of method, route and code are told apart of one app.").Default(strconv.Itoa(ledger.DefaultAppSeries)).IntVar(&o.Limits.AppSeries)
	cli.Flag("http.max-series", "How many of them of all apps of a PM2 daemon.").Default(strconv.Itoa(ledger.DefaultSeries)).IntVar(&o.Limits.Series)
	for _, group := range catalog.Groups() {
		if !group.Switchable() {
			continue
		}
		on := new(bool)
		cli.Flag("collector."+group.Name, "Metrics of: "+group.Title+".").Default("true").BoolVar(on)
		cli.Action(func(*kingpin.ParseContext) error { o.Collectors[group.Name] = *on; return nil })
	}
	forgetting := cli.Command("forget", "Forget a PM2 daemon that is gone for good, also in a running agent.")
	forgetting.Arg("daemon", "Its label, as in pm2_up.").Required().StringVar(&forget)
	ext := cli.Command("ext", "The extension for Node.js apps.")
	planning := ext.Command("plan", "Print how the extension is turned on and off for each app. Changes nothing.")
	checking := ext.Command("check", "Fail if an app loads the extension and its file is not there.")
	extPath := ext.Flag("ext.path", "File of the extension that apps load.").Default(extplan.DefaultPath).String()
	healthy, ask := health.Add(cli, "9209")
	shipFlags(cli, &o.Ship)
	recordFlags(cli, &o.Record)
	cli.Flag("state.dir", "Folder for what outlives the agent.").Default(app.DefaultStateDir("pm25-agent", os.Getenv, os.Geteuid())).StringVar(&o.StateDir)
	cli.Flag("log.level", "Least level to log: debug, info, warn or error.").Default("info").EnumVar(&logLevel, "debug", "info", "warn", "error")
	cli.Flag("log.format", "Form of the log: logfmt or json.").Default("logfmt").EnumVar(&logFormat, "logfmt", "json")

	command, err := cli.Parse(args)
	if err != nil {
		return fmt.Errorf("%w; see pm25-agent --help", err)
	}
	if command == forgetting.FullCommand() {
		return discovery.ForgetInFile(app.KnownFile(o.StateDir), forget)
	}
	if command == healthy.FullCommand() {
		return ask()
	}
	o.Logger, o.Slog = app.NewLoggers(logLevel, logFormat)
	switch command {
	case planning.FullCommand():
		return app.ExtPlan(context.Background(), o, *extPath, os.Stdout)
	case checking.FullCommand():
		return app.ExtCheck(context.Background(), o, *extPath, os.Stdout)
	}
	return serveUntilSignal(o)
}

func serveUntilSignal(o app.Options) error {
	if os.Getenv("GOMAXPROCS") == "" {
		// One processor is plenty, and the host's others are its apps'.
		runtime.GOMAXPROCS(1)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	level.Info(o.Logger).Log("msg", "Starting pm25-agent", "version", version.Info(), "build_context", version.BuildContext())
	app.WarnIfManaged(o.Logger, os.Getenv)
	agent, err := app.NewAgent(o)
	if err != nil {
		return err
	}
	defer agent.Close()
	return agent.Run(ctx)
}
