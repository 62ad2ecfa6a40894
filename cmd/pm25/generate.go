package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/generate"
	"github.com/pm25/pm25/internal/routingfiles"
	"github.com/pm25/pm25/rules"
	"github.com/pm25/pm25/rules/routing"
)

// generateFlags are those that need more than a copy.
type generateFlags struct {
	rulesFile                   string
	pm25, grafana, alertmanager string // where people reach them
	alerting                    routingfiles.Names
	receiversDir, webhook       string
}

// addGenerate adds `pm25 generate`.
func addGenerate(cli *kingpin.Application, commands map[string]func() error) {
	var o generate.Options
	var f generateFlags
	cmd := cli.Command("generate", "Write what Prometheus, Alertmanager, Grafana and Kubernetes read of PM25 into a folder.")
	folder := cmd.Arg("DIR", "The folder. What is in it besides stays.").Required().String()
	check := cmd.Flag("check", "Write nothing, and fail if a file is not as it would be written.").Bool()
	cmd.Flag("rules.config.file", "Settings of rules and boards: thresholds, language, links. Default: those of pm25 up.").StringVar(&f.rulesFile)
	cmd.Flag("server.url", "Where Prometheus and Grafana reach pm25 server.").Default("http://127.0.0.1:9725").StringVar(&o.Server)
	cmd.Flag("server.credentials-file", "File with the token that Prometheus shows to the server, by the path that Prometheus sees. Default: none is shown.").StringVar(&o.ServerCredentials)
	cmd.Flag("prometheus.url", "Where Grafana reaches Prometheus, and Prometheus itself.").Default("http://127.0.0.1:9090").StringVar(&o.Prometheus)
	cmd.Flag("alertmanager.url", "Where Prometheus and Grafana reach Alertmanager.").Default("http://127.0.0.1:9093").StringVar(&o.Alertmanager)
	cmd.Flag("grafana.dashboards", "Folder of grafana/dashboards by the path that Grafana sees.").Default("/etc/grafana/dashboards").StringVar(&o.Boards)
	f.addLinks(cmd)
	addAlertFlags(cmd, &f.alerting)
	cmd.Flag("alert.receivers-dir", "Folder of the receivers' file by the path that Alertmanager sees, for the secrets that it names. Default: where it is here.").StringVar(&f.receiversDir)
	cmd.Flag("alert.webhook", "Without a file of receivers, send alerts to this URL, as Alertmanager's webhook does. Default: nobody is told.").StringVar(&f.webhook)
	cmd.Flag("notify.url", "Where Alertmanager reaches PM25's bridge to chat robots. Default: --server.url.").StringVar(&o.Bridge)
	cmd.Flag("notify.token-file", "File with the token that Alertmanager shows to the bridge (notify.token in the server's data folder), by the path that Alertmanager sees. Needed when a receiver is a robot of DingTalk, Feishu or WeCom.").StringVar(&o.BridgeTokenFile)
	commands[cmd.FullCommand()] = func() (err error) {
		if o.Rules, err = f.rules(o); err != nil {
			return err
		}
		if o.Receivers, o.Owners, err = f.told(); err != nil {
			return err
		}
		o.Rules.Language = cmp.Or(o.Rules.Language, o.Receivers.Language)
		files, err := generate.All(o)
		if err != nil {
			return err
		}
		if *check {
			return checkGenerated(*folder, files)
		}
		changed, err := generate.Write(*folder, files)
		if err != nil {
			return fmt.Errorf("write %s: %w", *folder, err)
		}
		for _, path := range changed {
			fmt.Println("changed", path)
		}
		fmt.Printf("%d files in %s are up to date\n", len(files), *folder)
		return nil
	}
}

// addLinks adds where people reach what the programs reach by other addresses.
func (f *generateFlags) addLinks(cmd *kingpin.CmdClause) {
	cmd.Flag("web.external-url", "Where people reach pm25 server, for links. Default: --server.url. A pm25_url in the file of --rules.config.file wins.").StringVar(&f.pm25)
	cmd.Flag("grafana.url", "Where people reach Grafana, for links of alerts to its boards; empty: they go to PM25. A grafana_url in the file wins.").Default("http://127.0.0.1:3000").StringVar(&f.grafana)
	cmd.Flag("alertmanager.external-url", "Where people reach Alertmanager, for links that silence an alert. Default: --alertmanager.url. An alertmanager_url in the file wins.").StringVar(&f.alertmanager)
}

// rules are the settings with all links set: a Prometheus of one's own has none
// of PM25's pages at its own address.
func (f *generateFlags) rules(o generate.Options) (rules.Config, error) {
	c := rules.Default()
	if f.rulesFile != "" {
		var err error
		if c, err = rules.ReadConfig(f.rulesFile); err != nil {
			return rules.Config{}, err
		}
	}
	c.PM25URL = cmp.Or(c.PM25URL, f.pm25, o.Server)
	c.GrafanaURL = cmp.Or(c.GrafanaURL, f.grafana)
	c.AlertmanagerURL = cmp.Or(c.AlertmanagerURL, f.alertmanager, o.Alertmanager)
	for flag, link := range map[string]string{"web.external-url": c.PM25URL, "grafana.url": c.GrafanaURL, "alertmanager.external-url": c.AlertmanagerURL} {
		if err := rules.CheckURL(link); err != nil {
			return rules.Config{}, fmt.Errorf("--%s %w", flag, err)
		}
	}
	return c, nil
}

// told is whom Alertmanager tells.
func (f *generateFlags) told() (routing.Receivers, routing.Owners, error) {
	switch {
	case f.webhook != "" && f.alerting.Receivers != "":
		return routing.Receivers{}, nil, errors.New("--alert.webhook and --alert.receivers-file exclude each other: make the webhook a receiver of the file")
	case f.webhook != "":
		if err := rules.CheckURL(f.webhook); err != nil || strings.Contains(f.webhook, "{{") {
			return routing.Receivers{}, nil, errors.New("--alert.webhook is no URL that begins with http:// or https:// and names a host")
		}
		return routing.Receivers{
			Default: []string{"webhook"}, Receivers: map[string]routing.Receiver{"webhook": {Webhook: &routing.Webhook{URL: f.webhook}}},
		}, nil, nil
	case f.alerting.Receivers == "":
		return routing.Receivers{}, nil, f.alerting.Validate()
	}
	files, err := routingfiles.Parse(f.alerting)
	if err != nil {
		return routing.Receivers{}, nil, err
	}
	dir := f.receiversDir
	if dir == "" {
		if dir, err = filepath.Abs(filepath.Dir(f.alerting.Receivers)); err != nil {
			return routing.Receivers{}, nil, fmt.Errorf("--alert.receivers-file: %w", err)
		}
	}
	return files.Receivers.In(dir), files.Owners, nil
}

func checkGenerated(folder string, files []generate.File) error {
	stale, err := generate.Stale(folder, files)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("check %s: there is no such folder: pm25 generate makes it", folder)
	case err != nil:
		return fmt.Errorf("check %s: %w", folder, err)
	case len(stale) > 0:
		return fmt.Errorf("not as pm25 generate with the same flags would write it:\n  %s", strings.Join(stale, "\n  "))
	}
	fmt.Printf("%d files in %s are up to date\n", len(files), folder)
	return nil
}
