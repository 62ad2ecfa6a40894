package app

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/exporter-toolkit/web"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2/discovery"
)

// Options of an Agent, named after its flags.
type Options struct {
	Homes       []string // --pm2.home
	Users       []string // --pm2.user
	ForgetAfter time.Duration
	StateDir    string

	Web           *web.FlagConfig // only for Run
	TelemetryPath string
	Compress      bool
	Created       bool
	SelfMetrics   bool

	// Yield tells of a daemon that another program watches, and that is left to
	// it for as long; nil for none.
	Yield func(discovery.Candidate) bool
	// Claim serves this agent's metrics to those that yield to it.
	Claim bool

	Collectors       map[string]bool // by name: switched on
	CustomPerProcess int
	Limits           ledger.Limits // --http.max-series-per-app, --http.max-series; 0 is the default

	Ship   ShipOptions
	Record RecordOptions

	ProcRoot string
	Logger   log.Logger
	Slog     *slog.Logger // the same for libraries
	Now      func() time.Time
}

// plainPath is a path that means itself in a URL and to http.ServeMux.
var plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

const maxSeriesFlag = 100_000

func (o Options) validate() error {
	switch {
	case o.Logger == nil || o.Slog == nil || o.Now == nil:
		return errors.New("app: an option is missing")
	case o.ForgetAfter <= 0:
		return fmt.Errorf("--pm2.forget-after is %s: it has to be positive", o.ForgetAfter)
	case o.CustomPerProcess < 1 || o.CustomPerProcess > 1000:
		return fmt.Errorf("--custom.max-per-process is %d: it has to be between 1 and 1000", o.CustomPerProcess)
	case o.Limits.AppSeries < 0 || o.Limits.AppSeries > maxSeriesFlag:
		return fmt.Errorf("--http.max-series-per-app is %d: it has to be between 1 and %d", o.Limits.AppSeries, maxSeriesFlag)
	case o.Limits.Series < 0 || o.Limits.Series > maxSeriesFlag:
		return fmt.Errorf("--http.max-series is %d: it has to be between 1 and %d", o.Limits.Series, maxSeriesFlag)
	case len(o.TelemetryPath) < 2 || o.TelemetryPath[0] != '/':
		return fmt.Errorf("--web.telemetry-path is %q: it has to begin with / and be another than / itself", o.TelemetryPath)
	case !plainPath.MatchString(o.TelemetryPath) || path.Clean(o.TelemetryPath) != o.TelemetryPath || strings.HasPrefix(o.TelemetryPath, "/-/"):
		return fmt.Errorf("--web.telemetry-path is %q: it has to be a path of letters, digits and . _ ~ -, and not below /-/", o.TelemetryPath)
	}
	return errors.Join(o.Ship.validate(), o.Record.validate())
}

// DefaultStateDir is where a program keeps its state: systemd's
// StateDirectory, /var/lib for root, else the user's own folder.
func DefaultStateDir(program string, getenv func(string) string, euid int) string {
	if dir := getenv("STATE_DIRECTORY"); dir != "" {
		return dir
	}
	if euid == 0 {
		return filepath.Join("/var/lib", program)
	}
	if dir := getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, program)
	}
	home := getenv("HOME")
	if home == "" {
		home = os.TempDir()
	}
	return filepath.Join(home, ".local", "state", program)
}
