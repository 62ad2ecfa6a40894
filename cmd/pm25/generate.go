package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/generate"
	"github.com/pm25/pm25/rules"
)

// addGenerate adds `pm25 generate`.
func addGenerate(cli *kingpin.Application, commands map[string]func() error) {
	var o generate.Options
	cmd := cli.Command("generate", "Write what Prometheus, Alertmanager, Grafana and Kubernetes read of PM25 into a folder.")
	folder := cmd.Arg("DIR", "The folder. What is in it besides stays.").Required().String()
	check := cmd.Flag("check", "Write nothing, and fail if a file is not as it would be written.").Bool()
	rulesFile := cmd.Flag("rules.config.file", "Settings of the rules: thresholds, language, links. Default: those of pm25 up.").String()
	cmd.Flag("server.url", "Where Prometheus and Grafana reach pm25 server.").Default("http://127.0.0.1:9725").StringVar(&o.Server)
	cmd.Flag("server.credentials-file", "File with the token that Prometheus shows to the server, by the path that Prometheus sees. Default: none is shown.").StringVar(&o.ServerCredentials)
	cmd.Flag("prometheus.url", "Where Grafana reaches Prometheus, and Prometheus itself.").Default("http://127.0.0.1:9090").StringVar(&o.Prometheus)
	cmd.Flag("alertmanager.url", "Where Prometheus and Grafana reach Alertmanager.").Default("http://127.0.0.1:9093").StringVar(&o.Alertmanager)
	cmd.Flag("grafana.dashboards", "Folder of grafana/dashboards by the path that Grafana sees.").Default("/etc/grafana/dashboards").StringVar(&o.Boards)
	commands[cmd.FullCommand()] = func() (err error) {
		if o.Rules, err = rulesConfig(*rulesFile); err != nil {
			return err
		}
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

func rulesConfig(file string) (rules.Config, error) {
	if file == "" {
		return rules.Default(), nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return rules.Config{}, fmt.Errorf("--rules.config.file: %w", err)
	}
	c, err := rules.ParseConfig(text)
	if err != nil {
		return rules.Config{}, fmt.Errorf("--rules.config.file: %s: %w", file, err)
	}
	return c, nil
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
