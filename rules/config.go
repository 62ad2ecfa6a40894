package rules

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v2"
)

// The languages of texts.
const (
	English = "en"
	Chinese = "zh"
)

// DefaultYAML is the default configuration with comments, for people to change.
//
//go:embed config.yml
var DefaultYAML []byte

// Config is all that a team may set about rules.
type Config struct {
	// Language of summaries and descriptions: English or Chinese; empty: that of
	// the receivers, or English.
	Language string `yaml:"language"`
	// Job and ServerJob are the scrape jobs of agents and of PM25's server.
	Job       string `yaml:"job"`
	ServerJob string `yaml:"server_job"`
	// Native uses native histograms in place of classic buckets.
	Native bool `yaml:"native_histograms"`
	// PM25URL is where people reach PM25, for runbooks, silences, exceptions and
	// the live page; empty: Prometheus' external URL, as inside `pm25 up`.
	PM25URL string `yaml:"pm25_url"`
	// RunbookURL is the address of runbooks, to which "/NAME" is added; empty:
	// those of PM25.
	RunbookURL string `yaml:"runbook_url"`
	// GrafanaURL is where Grafana is; empty: links go to the live page.
	GrafanaURL string `yaml:"grafana_url"`
	// AlertmanagerURL is where people reach an Alertmanager of one's own; empty:
	// links to silence an alert go to PM25.
	AlertmanagerURL string `yaml:"alertmanager_url"`

	// Selector is matchers that each selector of agents' metrics gets besides its
	// own, such as bucket="prod".
	Selector string `yaml:"selector"`
	// HostLabels are target labels that tell hosts apart: what counts for a
	// service is added up over them.
	HostLabels []string `yaml:"host_labels"`
	// SLOs are what services have to keep; a request counts for the first that
	// matches it.
	SLOs []SLO `yaml:"slos"`

	Thresholds Thresholds `yaml:"thresholds"`
	// Overrides are other thresholds for some apps or hosts.
	Overrides []Override `yaml:"overrides"`
	// Alerts are changes of alerts, by name.
	Alerts map[string]AlertSettings `yaml:"alerts"`
}

// Default is the configuration without a file.
func Default() Config {
	c, err := ParseConfig(DefaultYAML)
	if err != nil {
		panic(err) // embedded, and tested
	}
	return c
}

// ParseConfig reads a configuration in YAML. What it does not name is as in
// Default. Errors name the key.
func ParseConfig(text []byte) (Config, error) {
	var c Config
	if err := decode(DefaultYAML, &c); err != nil {
		return Config{}, err
	}
	if err := decode(text, &c); err != nil {
		return Config{}, err
	}
	return c, c.Validate()
}

func decode(text []byte, c *Config) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.SetStrict(true)
	if err := d.Decode(c); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// Validate reports a setting that is out of range, by its key.
func (c Config) Validate() error {
	if c.Language != "" && c.Language != English && c.Language != Chinese {
		return fmt.Errorf("language is %q: it has to be en or zh", c.Language)
	}
	if c.Job == "" || c.ServerJob == "" {
		return errors.New("job and server_job: name the scrape jobs of agents (pm2) and of PM25's server (pm25)")
	}
	if strings.ContainsAny(c.Job+c.ServerJob, "\"\\\n") {
		return errors.New("job and server_job: a quote, a backslash or an end of line can not be in their names")
	}
	for key, link := range map[string]string{"pm25_url": c.PM25URL, "runbook_url": c.RunbookURL, "grafana_url": c.GrafanaURL, "alertmanager_url": c.AlertmanagerURL} {
		if err := CheckURL(link); err != nil {
			return fmt.Errorf("%s %w", key, err)
		}
	}
	for _, label := range c.HostLabels {
		if !model.LegacyValidation.IsValidLabelName(label) {
			return fmt.Errorf("host_labels: %q is no name of a label", label)
		}
		if slices.Contains([]string{"app", "pm2_namespace", "slo"}, label) {
			return fmt.Errorf("host_labels: %s tells services apart, not hosts: remove it", label)
		}
	}
	if err := c.validateSLOs(); err != nil {
		return err
	}
	if c.Thresholds.DeployWindowSeconds > 3600 {
		return errors.New("thresholds: deploy_window_seconds is more than 3600: what was before a deploy is not known for longer than an hour")
	}
	if err := c.Thresholds.validate(); err != nil {
		return err
	}
	_, err := c.customize(builtin(c))
	return err
}

// CheckURL reports a link that is none; an empty one is not set.
func CheckURL(link string) error {
	if u, err := url.Parse(link); link != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return errors.New("is no URL that begins with http:// or https:// and names a host")
	}
	if strings.Contains(link, "{{") { // Prometheus would run it
		return errors.New("is a template: remove {{")
	}
	return nil
}
