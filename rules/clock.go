package rules

import "github.com/pm25/pm25/internal/catalog"

// since is how many seconds ago a time was that an agent tells of its apps, or of its
// processes, by the clock of its own host: time() is that of Prometheus, and clocks of
// hosts may be minutes off. It has the labels of the time.
func since(of, timestamp string) string {
	return catalog.AgentTime + " - " + of + " group_right () " + timestamp
}
