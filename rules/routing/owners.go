package routing

import "slices"

// Owners is owners.yml: whose app it is. The first that matches counts.
type Owners []Owner

// An Owner is a team with the apps that are its own.
type Owner struct {
	// Globs, in which * stands for any characters and ? for one; "" is for all.
	Bucket    string `yaml:"bucket"`
	Namespace string `yaml:"pm2_namespace"`
	App       string `yaml:"app"`

	Team      string   `yaml:"team"`
	Receivers []string `yaml:"receivers"` // names of receivers.yml; none: its default
	Page      []string `yaml:"page"`      // told besides them of what is critical
	// Mention are the people whom a message calls, by the name of the robot: phone
	// numbers for DingTalk, open IDs for Feishu, user IDs for WeCom, or "all".
	Mention   map[string][]string `yaml:"mention"`
	MentionOn string              `yaml:"mention_on"` // least severity that calls them; "" is critical
}

// Find returns the first owner that matches.
func (o Owners) Find(bucket, namespace, app string) (Owner, bool) {
	i := slices.IndexFunc(o, func(owner Owner) bool {
		return match(owner.Bucket, bucket) && match(owner.Namespace, namespace) && match(owner.App, app)
	})
	if i < 0 {
		return Owner{}, false
	}
	return o[i], true
}

// Mentions are the people whom a message of a robot about an alert calls.
func (o Owner) Mentions(robot, severity string) []string {
	calls := severity == critical
	switch o.MentionOn {
	case warning:
		calls = calls || severity == warning
	case info:
		calls = true
	}
	if !calls {
		return nil
	}
	return o.Mention[robot]
}

// The severities as alerts carry them.
const (
	critical = "critical"
	warning  = "warning"
	info     = "info"
	none     = "none" // of the watchdog
)
