package alertmanager

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/template"

	"github.com/pm25/pm25/rules/routing"
)

// maxConfig bounds a configuration file.
const maxConfig = 4 << 20

// Default is the configuration without a file: all alerts go to the webhook, or
// to nobody when it is empty. Its errors do not hold the URL, which is a secret.
func Default(webhook string) (*config.Config, error) {
	var receivers routing.Receivers
	if webhook != "" {
		u, err := url.Parse(webhook)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, errors.New("--alert.webhook is no URL that begins with http:// or https:// and names a host")
		}
		if strings.Contains(webhook, "{{") {
			return nil, errors.New("--alert.webhook holds a template: write that into a file for --alertmanager.config.file")
		}
		receivers.Default = []string{"webhook"}
		receivers.Receivers = map[string]routing.Receiver{"webhook": {Webhook: &routing.Webhook{URL: webhook}}}
	}
	text, err := routing.Alertmanager(receivers, nil, routing.Options{})
	if err != nil {
		return nil, fmt.Errorf("built-in configuration of Alertmanager: %w", err)
	}
	conf, err := config.Load(text)
	if err != nil && webhook != "" {
		return nil, errors.New("--alert.webhook is no URL that Alertmanager takes")
	}
	if err != nil {
		return nil, fmt.Errorf("built-in configuration of Alertmanager: %w", err)
	}
	return conf, nil
}

// Load checks a configuration that package routing has written.
func Load(text string) (*config.Config, error) {
	conf, err := config.Load(text)
	if err != nil {
		return nil, errors.New("Alertmanager does not take its configuration: " + redact(err.Error()))
	}
	if err := checkReceivers("configuration", []byte(text), conf); err != nil {
		return nil, err
	}
	return conf, nil
}

// newTemplates are Alertmanager's own, those of package routing in both
// languages, and those that a configuration names, which count most.
func newTemplates(globs []string) (*template.Template, error) {
	templates, err := template.FromGlobs(nil)
	if err != nil {
		return nil, err
	}
	for _, language := range []string{routing.English, routing.Chinese} {
		for name, text := range routing.Templates(language) {
			if err := templates.Parse(strings.NewReader(text)); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	for _, glob := range globs {
		if err := templates.FromGlob(glob); err != nil {
			return nil, err
		}
	}
	return templates, nil
}

// LoadFile reads and checks a configuration with its templates. Errors are
// "file:line: what is wrong; how to mend it", where a line can be told.
func LoadFile(path string) (*config.Config, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxConfig {
		err = fmt.Errorf("%s: it has %d bytes, at most %d are taken", path, info.Size(), maxConfig)
	}
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	conf, err := config.LoadFile(path)
	if err != nil {
		return nil, locate(path, data, err)
	}
	if err := checkTemplates(path, data, conf); err != nil {
		return nil, err
	}
	if err := checkReceivers(path, data, conf); err != nil {
		return nil, err
	}
	return conf, nil
}

// checkTemplates reads each pattern by itself: then it is known which is wrong.
func checkTemplates(path string, data []byte, conf *config.Config) error {
	for i, pattern := range conf.Templates {
		_, err := template.FromGlobs([]string{pattern})
		if err == nil && !strings.ContainsAny(pattern, `*?[\`) {
			_, err = os.Stat(pattern) // Alertmanager leaves out what is not there
		}
		if err != nil {
			at := itemOf(data, "templates", func(n int, _ string) bool { return n == i })
			return fmt.Errorf("%s: template: %s", at.prefix(path), redact(err.Error()))
		}
	}
	return nil
}

// checkReceivers makes each receiver once, for the files that they name.
func checkReceivers(path string, data []byte, conf *config.Config) error {
	templates, err := newTemplates(conf.Templates)
	if err != nil {
		return fmt.Errorf("%s: templates: %w", path, err)
	}
	for _, r := range conf.Receivers {
		if _, err := receiver.BuildReceiverIntegrations(r, templates, slog.New(slog.DiscardHandler)); err != nil {
			at := itemOf(data, "receivers", func(_ int, name string) bool { return name == r.Name })
			return fmt.Errorf("%s: receiver %q: %s", at.prefix(path), r.Name, redact(err.Error()))
		}
	}
	return nil
}
