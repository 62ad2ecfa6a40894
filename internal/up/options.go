package up

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/central"
	"github.com/pm25/pm25/internal/pages"
	"github.com/pm25/pm25/internal/routingfiles"
	"github.com/pm25/pm25/internal/server"
	"github.com/pm25/pm25/rules"
)

const (
	minRetentionSize = 64 << 20
	minMinFree       = 16 << 20
)

// Options of a Stack, named after its flags.
type Options struct {
	DataDir string

	Web         *web.FlagConfig
	Insecure    bool   // --web.insecure
	ExternalURL string // --web.external-url
	// MaxConnections that are served at a time: --web.max-connections.
	MaxConnections int

	HostName               string   // --host.name
	Targets                []string // --targets
	ConfigFile             string   // --config.file
	RulesConfigFile        string   // --rules.config.file
	GrafanaURL             string   // --grafana.url
	AlertmanagerConfigFile string   // --alertmanager.config.file
	WebhookURL             string   // --alert.webhook
	Alerting               routingfiles.Names
	Retention              time.Duration
	RetentionSize          int64 // bytes
	MinFree                int64 // bytes of the data folder's file system

	StoreRetention time.Duration // --store.retention.time
	StoreMaxBytes  int64         // --store.retention.size
	PushLimits     server.Limits
	SDForgetAfter  time.Duration // --sd.forget-after
	SourceURL      string        // --source-url

	Homes       []string // --pm2.home
	Users       []string // --pm2.user
	ForgetAfter time.Duration
	Record      app.RecordOptions // --log.lines, --log.exceptions, --scrub.patterns-file

	Flags  map[string]string // what the program was started with, for Prometheus' status page
	Logger log.Logger
	Slog   *slog.Logger // the same for libraries
	Now    func() time.Time
}

func (o Options) validate() error {
	switch {
	case o.Web == nil || o.Logger == nil || o.Slog == nil || o.Now == nil:
		return errors.New("up: an option is missing")
	case o.DataDir == "":
		return errors.New("--data.dir is empty: name a folder")
	case strings.TrimSpace(o.HostName) == "":
		return errors.New("--host.name is empty: say how this machine is called")
	case o.Retention < 0 || o.Retention > 0 && o.Retention < 2*time.Hour:
		return fmt.Errorf("--storage.tsdb.retention.time is %s: it has to be 2h or more", o.Retention)
	case o.RetentionSize < 0 || o.RetentionSize > 0 && o.RetentionSize < minRetentionSize:
		return fmt.Errorf("--storage.tsdb.retention.size is %d bytes: it has to be 64MiB or more, or 0 for any", o.RetentionSize)
	case o.MinFree < minMinFree:
		return fmt.Errorf("--storage.min-free is %d bytes: it has to be 16MiB or more, or the disk could be full in the middle of a sample", o.MinFree)
	case o.MaxConnections < 1:
		return fmt.Errorf("--web.max-connections is %d: it has to be 1 or more", o.MaxConnections)
	case o.WebhookURL != "" && o.AlertmanagerConfigFile != "":
		return errors.New("--alert.webhook and --alertmanager.config.file exclude each other: put the webhook into the file's receivers")
	case o.Alerting.Receivers != "" && (o.WebhookURL != "" || o.AlertmanagerConfigFile != ""):
		return errors.New("--alert.receivers-file excludes --alert.webhook and --alertmanager.config.file: put the webhook into the file's receivers, or all into Alertmanager's own configuration")
	}
	if err := o.Alerting.Validate(); err != nil {
		return err
	}
	if err := rules.CheckURL(o.GrafanaURL); err != nil {
		return fmt.Errorf("--grafana.url %w", err)
	}
	if err := pages.CheckSourceURL(o.SourceURL); err != nil {
		return err
	}
	if err := (central.Options{Retention: o.StoreRetention, MaxBytes: o.StoreMaxBytes}).Validate(); err != nil {
		return err
	}
	if file := *o.Web.WebConfigFile; file != "" {
		if err := web.Validate(file); err != nil {
			return fmt.Errorf("--web.config.file %s: %w", file, err)
		}
	}
	return nil
}

// DefaultHostName is the machine's name, or "localhost" where it has none.
func DefaultHostName() string {
	if name, err := os.Hostname(); err == nil && name != "" {
		return name
	}
	return "localhost"
}
