package discovery

import (
	"errors"
	"fmt"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
)

// Options of a Finder. Now and Logger are required.
type Options struct {
	// Homes are the values of --pm2.home, "[NAME=]PATH". With any, exactly those
	// are found. A PATH may begin with /proc/<pid>/root.
	Homes []string
	// ProcRoot is where procfs is mounted; default /proc.
	ProcRoot string
	// AllowedUsers (names, uids, or "*" for all) and AllowedUIDs may be watched by an
	// agent that runs as root, besides root and the owners of Homes. Without root the
	// permissions of the sockets decide.
	AllowedUsers []string
	AllowedUIDs  []int
	// KnownFile remembers daemons across restarts; "" keeps them in memory only.
	KnownFile string
	// ForgetAfter is how long a daemon that is gone stays listed; default 24h.
	ForgetAfter time.Duration
	// MaxDaemons bounds the list; default 64.
	MaxDaemons int
	// OnRejected, if set, is told once of each listening rpc.sock that is no PM2
	// daemon, again when the reason changes, and again when it had gone and is back.
	OnRejected func(path string, reason Reason)
	// Getenv, default os.Getenv, gives PM2_HOME and HOME for when nothing is found.
	Getenv func(string) string
	// EUID, default os.Geteuid, says whether we are root.
	EUID   func() int
	Now    func() time.Time
	Logger log.Logger
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Now == nil:
		return o, errors.New("discovery: option Now is missing")
	case o.Logger == nil:
		return o, errors.New("discovery: option Logger is missing")
	case o.ForgetAfter < 0:
		return o, fmt.Errorf("discovery: forget daemons after %s: has to be positive", o.ForgetAfter)
	case o.MaxDaemons < 0:
		return o, fmt.Errorf("discovery: at most %d daemons: has to be positive", o.MaxDaemons)
	}
	if o.ForgetAfter == 0 {
		o.ForgetAfter = 24 * time.Hour
	}
	if o.MaxDaemons == 0 {
		o.MaxDaemons = 64
	}
	if o.ProcRoot == "" {
		o.ProcRoot = "/proc"
	}
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.EUID == nil {
		o.EUID = os.Geteuid
	}
	if o.OnRejected == nil {
		o.OnRejected = func(string, Reason) {}
	}
	if len(o.Homes) > o.MaxDaemons {
		return o, fmt.Errorf("discovery: %d homes are named but at most %d daemons are watched", len(o.Homes), o.MaxDaemons)
	}
	return o, nil
}

func (o Options) policy() (Policy, error) {
	p := Policy{ProcRoot: o.ProcRoot, Restrict: o.EUID() == 0, UIDs: slices.Clone(o.AllowedUIDs)}
	for _, u := range o.AllowedUsers {
		if u == "*" {
			p.Restrict = false
			continue
		}
		uid, err := resolveUser(u)
		if err != nil {
			return p, fmt.Errorf("discovery: allowed users: %w", err)
		}
		p.UIDs = append(p.UIDs, uid)
	}
	return p, nil
}

// namedHome is one value of --pm2.home.
type namedHome struct {
	name, home, root string
}

var procPrefix = regexp.MustCompile(`^(/proc/[1-9][0-9]*/root)(/.*)$`)

// parseHome reads "[NAME=]PATH".
func parseHome(value, userHome string) (namedHome, error) {
	var h namedHome
	p := value
	if eq, slash := strings.IndexByte(value, '='), strings.IndexByte(value, '/'); eq >= 0 && (slash < 0 || eq < slash) {
		h.name, p = value[:eq], value[eq+1:]
		switch {
		case h.name == "":
			return h, fmt.Errorf("PM2 home %q: the name before = is empty", value)
		case h.name != printable(h.name) || len(h.name) > maxLabel:
			return h, fmt.Errorf("PM2 home %q: the name has to be printable UTF-8 of at most %d bytes", value, maxLabel)
		}
	}
	// The shell expands ~ only at the start of a word, not after NAME=.
	if p == "~" || strings.HasPrefix(p, "~/") {
		if userHome == "" {
			return h, fmt.Errorf("PM2 home %q: HOME is not set, so ~ means nothing; give an absolute path", value)
		}
		p = userHome + p[1:]
	}
	if !path.IsAbs(p) {
		return h, fmt.Errorf("PM2 home %q: give [NAME=]PATH with an absolute path", value)
	}
	h.home = path.Clean(p)
	if m := procPrefix.FindStringSubmatch(h.home); m != nil {
		h.root, h.home = m[1], m[2]
	}
	return h, nil
}

func parseHomes(values []string, userHome string) ([]namedHome, error) {
	var homes []namedHome
	for _, v := range values {
		h, err := parseHome(v, userHome)
		if err != nil {
			return nil, err
		}
		for _, other := range homes {
			if other.root == h.root && other.home == h.home {
				return nil, fmt.Errorf("PM2 home %s%s is named twice", h.root, h.home)
			}
			if h.name != "" && other.name == h.name {
				return nil, fmt.Errorf("the name %q is given to two PM2 homes, %s and %s", h.name, other.home, h.home)
			}
		}
		homes = append(homes, h)
	}
	return homes, nil
}
