package rules

// What an agent tells of itself or its host is matched with what it tells of apps or
// processes by all labels of their target: job and instance alone may be those of two,
// as where an agent was given another name or bucket, or its container was replaced,
// and what was there before is still listed. A match of several with one that is two
// fails for the whole rule, and so for every host.
const (
	appsOfTarget      = "ignoring (daemon, pm2_namespace, app)"
	processesOfTarget = "ignoring (daemon, pm2_namespace, app, pm_id)"
)
