package pm2

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

// Statuses of a process, as PM2 spells them.
const (
	StatusOnline         = "online"
	StatusLaunching      = "launching"
	StatusStopping       = "stopping"
	StatusStopped        = "stopped"
	StatusErrored        = "errored"
	StatusWaitingRestart = "waiting restart"
	StatusOneLaunch      = "one-launch-status"
)

// Process is what is taken of one entry of getMonitorData. Nothing else of
// the answer, which holds the app's whole environment twice, leaves the
// decoder.
type Process struct {
	Name      string // safe as a label value, see SafeName
	Namespace string // likewise; PM2's own default is "default"
	PMID      int
	PID       int    // 0 while it does not run
	UniqueID  string // changes when PM2 forgets the process; never exported

	Status           string
	Restarts         int64 // PM2's own count; falls on reset and update
	UnstableRestarts int64
	StartedAt        time.Time // last start
	ExitCode         int
	HasExitCode      bool

	ExecMode    string // fork or cluster
	Interpreter string // base name
	NodeVersion string
	Version     string // of the app's package.json
	Revision    string // git, where PM2 looks
	InstanceID  string // NODE_APP_INSTANCE

	MemoryLimitBytes float64 // max_memory_restart; 0 is none
	MemoryBytes      float64 // PM2's own sample; 0 is unknown
	CronRestart      string  // "" for none; never exported, never logged
	OutLog, ErrLog   string  // never exported
	Dir              string  // its working directory; never exported

	// Known only after RPC.LookFor: whether pm25-ext's file is among the
	// arguments for Node.js, or in NODE_OPTIONS, which is not read for more. Of
	// the other arguments, those that can hold no secret; others are hidden.
	Preloaded, PreloadedByEnv bool
	NodeArgs                  []string
	NodeArgsHidden            bool

	Launcher string // npm, npx, yarn or pnpm where PM2 runs the app through it

	Metrics        []CustomMetric
	MetricsDropped int // over the bound, or without a usable name
	// Latencies are PM2's own figures of HTTP requests. They are as old as the
	// list, and no reason to ask for a new one.
	Latencies []CustomMetric
}

// CustomMetric is one value that an app publishes through @pm2/io.
type CustomMetric struct {
	Name  string // safe as a label value
	Unit  string
	Value float64
}

// maxMetrics bounds the custom metrics read of one process.
const maxMetrics = 1000

// maxProcesses bounds the list; the largest hosts run a few thousand.
const maxProcesses = 20_000

// Running is true in the states in which a pid is alive.
func (p *Process) Running() bool {
	return p.PID > 0 && p.Status != StatusStopped && p.Status != StatusErrored
}

// decodeList adds the processes to list; preload is the file of pm25-ext.
func decodeList(s *jsonscan.Scanner, preload string, list []Process) ([]Process, error) {
	err := s.Array(func() error {
		if len(list) >= maxProcesses {
			return nil
		}
		p := Process{PMID: -1}
		if err := decodeProcess(s, preload, &p); err != nil {
			return err
		}
		if p.PMID >= 0 {
			list = append(list, p)
		}
		return nil
	})
	return list, err
}

func decodeProcess(s *jsonscan.Scanner, preload string, p *Process) error {
	err := s.Object(func(key []byte) error {
		switch string(key) {
		case "pid":
			return takeInt(s, &p.PID)
		case "pm_id":
			return takeInt(s, &p.PMID)
		case "name":
			return takeName(s, &p.Name)
		case "monit":
			return s.Object(func(key []byte) error {
				if string(key) == "memory" {
					return takeFloat(s, &p.MemoryBytes)
				}
				return nil
			})
		case "pm2_env":
			return decodeEnv(s, preload, p)
		}
		return nil
	})
	if p.Namespace == "" {
		p.Namespace = "default"
	}
	return err
}

// decodeEnv takes allowed keys of pm2_env. The app's environment is mixed
// into the same object: a variable with the very name of an allowed key that
// PM2 does not set again afterwards (name, namespace) is what PM2 itself goes
// by. Each is bounded.
func decodeEnv(s *jsonscan.Scanner, preload string, p *Process) error {
	return s.Object(func(key []byte) error {
		switch string(key) {
		case "status":
			return takeText(s, &p.Status, 32)
		case "namespace":
			return takeName(s, &p.Namespace)
		case "unique_id":
			return takeText(s, &p.UniqueID, 64)
		case "restart_time":
			return takeCount(s, &p.Restarts)
		case "unstable_restarts":
			return takeCount(s, &p.UnstableRestarts)
		case "pm_uptime":
			return takeMillis(s, &p.StartedAt)
		case "exit_code":
			v, ok, err := s.Float()
			if ok && v >= -1<<31 && v < 1<<31 {
				p.ExitCode, p.HasExitCode = int(v), true
			}
			return err
		case "exec_mode":
			return takeMode(s, &p.ExecMode)
		case "exec_interpreter":
			return takeWord(s, &p.Interpreter, path.Base)
		case "node_version":
			return takeWord(s, &p.NodeVersion, nil)
		case "version":
			return takeVersion(s, &p.Version)
		case "versioning":
			return takeRevision(s, &p.Revision)
		case "pm_cwd":
			return takeText(s, &p.Dir, 4096)
		case "NODE_APP_INSTANCE":
			return takeWord(s, &p.InstanceID, func(v string) string {
				if _, err := strconv.ParseUint(v, 10, 31); err != nil {
					return ""
				}
				return v
			})
		case "max_memory_restart":
			return takeFloat(s, &p.MemoryLimitBytes)
		case "cron_restart":
			return takeCron(s, &p.CronRestart)
		case "node_args":
			return decodeNodeArgs(s, preload, p)
		case "NODE_OPTIONS": // the app's environment lies among PM2's own settings
			if preload == "" {
				return s.Skip()
			}
			text, err := s.Text(8192)
			p.PreloadedByEnv = slices.ContainsFunc(splitArgs(string(text)), func(arg string) bool {
				return arg == preload || strings.HasSuffix(arg, "="+preload) || strings.HasSuffix(arg, `="`+preload+`"`)
			})
			return err
		case "pm_exec_path":
			text, err := s.Text(4096)
			p.Launcher = launcher(text)
			return err
		case "pm_out_log_path":
			return takeText(s, &p.OutLog, 4096)
		case "pm_err_log_path":
			return takeText(s, &p.ErrLog, 4096)
		case "axm_monitor":
			return decodeMetrics(s, p)
		}
		return nil
	})
}

func takeName(s *jsonscan.Scanner, into *string) error {
	text, err := s.Text(maxRawName)
	if len(text) > 0 {
		*into = SafeName(text)
	}
	return err
}

func takeText(s *jsonscan.Scanner, into *string, limit int) error {
	text, err := s.Text(limit)
	*into = SafeText(text, limit)
	return err
}

// maxCron is longer than any expression that names every value of every field.
const maxCron = 512

// takeCron takes a cron expression. PM2's "0" is none. One that is too long is
// none that can be read: its beginning alone could be another expression.
func takeCron(s *jsonscan.Scanner, into *string) error {
	text, err := s.Text(maxCron + 1)
	switch {
	case len(text) > maxCron:
		*into = "too long"
	case string(text) != "0":
		*into = SafeText(text, maxCron)
	}
	return err
}

// takeWord takes a short text that becomes a label of an info metric.
func takeWord(s *jsonscan.Scanner, into *string, clean func(string) string) error {
	err := takeText(s, into, 4096)
	if clean != nil && *into != "" {
		*into = clean(*into)
	}
	*into = SafeText([]byte(*into), 64)
	return err
}

func takeMode(s *jsonscan.Scanner, into *string) error {
	return takeWord(s, into, func(v string) string { return strings.TrimSuffix(v, "_mode") })
}

func takeVersion(s *jsonscan.Scanner, into *string) error {
	return takeWord(s, into, func(v string) string {
		if v == "N/A" {
			return ""
		}
		return v
	})
}

func takeRevision(s *jsonscan.Scanner, into *string) error {
	return s.Object(func(key []byte) error {
		if string(key) == "revision" {
			return takeWord(s, into, nil)
		}
		return nil
	})
}

func takeFloat(s *jsonscan.Scanner, into *float64) error {
	v, ok, err := s.Float()
	if ok && v >= 0 {
		*into = v
	}
	return err
}

func takeInt(s *jsonscan.Scanner, into *int) error {
	v, ok, err := s.Float()
	if ok && v >= 0 && v <= 1<<31-1 && v == float64(int(v)) {
		*into = int(v)
	}
	return err
}

func takeCount(s *jsonscan.Scanner, into *int64) error {
	v, ok, err := s.Float()
	if ok && v >= 0 && v < 1<<53 {
		*into = int64(v)
	}
	return err
}

// takeMillis takes a time as milliseconds since the epoch; PM2 knows no
// earlier or later than the years 2000 and 2200.
func takeMillis(s *jsonscan.Scanner, into *time.Time) error {
	v, ok, err := s.Float()
	if ok && v > 946_684_800_000 && v < 7_258_118_400_000 {
		*into = time.UnixMilli(int64(v))
	}
	return err
}

// SavedApp is one entry of the list that pm2 save writes.
type SavedApp struct{ Name, Namespace string }

// DecodeSaved reads dump.pm2: an array of pm2_env objects.
func DecodeSaved(s *jsonscan.Scanner) ([]SavedApp, error) {
	var out []SavedApp
	err := s.Array(func() error {
		a := SavedApp{Namespace: "default"}
		err := s.Object(func(key []byte) error {
			switch string(key) {
			case "name":
				return takeName(s, &a.Name)
			case "namespace":
				return takeName(s, &a.Namespace)
			}
			return nil
		})
		if a.Name != "" && len(out) < maxProcesses {
			out = append(out, a)
		}
		return err
	})
	return out, err
}
