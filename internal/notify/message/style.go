package message

import (
	"net/url"
	"strings"
	"time"

	"github.com/pm25/pm25/rules/routing"
)

// Style is how a receiver is spoken to.
type Style struct {
	Receiver string // its name, by which owners know it
	Language string // of routing
	Location *time.Location
	Owners   routing.Owners
	// External is where people reach PM25: exceptions have their pages there. nil:
	// nobody does.
	External *url.URL
	Now      time.Time
}

// keyword is in each message: robots may ask for a word.
const keyword = "PM25"

// exceptionURL is the page of a group of exceptions.
func (s Style) exceptionURL(group string) string {
	if s.External == nil || group == "" {
		return ""
	}
	return s.External.JoinPath("exceptions", url.PathEscape(group)).String()
}

// mentions are the people whom the owners of what fires want called, each once.
func (s Style) mentions(alerts []Alert) []string {
	var out []string
	seen := map[string]bool{}
	for _, a := range alerts {
		if !a.Firing {
			continue
		}
		owner, ok := s.Owners.Find(a.Labels["bucket"], a.Labels["pm2_namespace"], a.Labels["app"])
		if !ok {
			continue
		}
		for _, who := range owner.Mentions(s.Receiver, a.severity()) {
			if who = strings.TrimSpace(who); who != "" && !seen[who] {
				seen[who] = true
				out = append(out, who)
			}
		}
	}
	return out
}
