package rules

import "github.com/pm25/pm25/internal/catalog"

// since is how many seconds ago a time was that an agent tells, by the clock of its
// own host: time() is that of Prometheus, and clocks of hosts may be minutes off.
// It has the labels of the time.
func since(timestamp string) string {
	return catalog.AgentTime + " - on (job, instance) group_right () " + timestamp
}
