package rules

import (
	_ "embed"
	"errors"
	"net/url"
	"os"
	"strings"

	"github.com/pm25/pm25/rules/strictyaml"
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

// ConfigFlag is the flag that names the file of a configuration.
const ConfigFlag = "--rules.config.file"

// ReadConfig reads a configuration from a file. Errors name the flag and the file
// besides what those of ParseConfig say.
func ReadConfig(file string) (Config, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return Config{}, strictyaml.In(ConfigFlag, file, err)
	}
	c, err := ParseConfig(text)
	if err != nil {
		return Config{}, strictyaml.In(ConfigFlag, file, err)
	}
	return c, nil
}

// ParseConfig reads a configuration in YAML. What it does not name is as in
// Default. Errors, one a line, name the line, the path to the key, what is wrong
// with it and how to mend it.
func ParseConfig(text []byte) (Config, error) {
	var c Config
	if _, err := strictyaml.Decode(DefaultYAML, &c); err != nil {
		return Config{}, err
	}
	d, err := strictyaml.Decode(text, &c)
	if err != nil {
		return Config{}, err
	}
	c.check(d)
	if err := d.Err(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// Validate reports settings that are out of range, by the paths to their keys.
func (c Config) Validate() error {
	var d strictyaml.Document
	c.check(&d)
	return d.Err()
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
