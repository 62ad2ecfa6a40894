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
	// Page are told besides them of what is critical; nil: those of receivers.yml,
	// an empty list: nobody.
	Page []string `yaml:"page"`
	// Mention are the people whom a message calls, by the name of the robot: phone
	// numbers for DingTalk, open IDs for Feishu, user IDs for WeCom, or "all".
	Mention   map[string][]string `yaml:"mention"`
	MentionOn string              `yaml:"mention_on"` // least severity that calls them; "" is critical
}

// Find returns the first owner that matches.
func (o Owners) Find(bucket, namespace, app string) (Owner, bool) {
	i := slices.IndexFunc(o, func(owner Owner) bool {
		return owner.inBucket(bucket) && match(owner.Namespace, namespace) && match(owner.App, app)
	})
	if i < 0 {
		return Owner{}, false
	}
	return o[i], true
}

// localBucket is where the server keeps what the agent in its own process
// records. Metrics of that agent have no bucket, so an owner of the one owns the
// other.
const localBucket = "local"

func (o Owner) inBucket(bucket string) bool {
	return match(o.Bucket, bucket) || bucket == "" && match(o.Bucket, localBucket)
}

// warned are the receivers of warnings about what is the owner's.
func (o Owner) warned(r Receivers) []string {
	if len(o.Receivers) == 0 {
		return r.Default
	}
	return o.Receivers
}

// paged are told besides them of what is critical.
func (o Owner) paged(r Receivers) []string {
	if o.Page == nil {
		return r.Page
	}
	return o.Page
}

// canCall are the receivers of alerts that call whom the owner mentions.
func (o Owner) canCall(r Receivers) []string {
	all := slices.Concat(o.warned(r), o.paged(r))
	if o.MentionOn == info {
		all = append(all, r.Info.Receivers...)
	}
	return all
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
