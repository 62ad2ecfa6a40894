package routing

import (
	"regexp"
	"strings"
)

// match says whether a glob stands for a whole text. The empty one is for all.
func match(glob, text string) bool {
	if glob == "" {
		return true
	}
	// Where the last * was, and what it stood for: a longer piece is tried there
	// when what follows does not match. Time grows with the product of lengths.
	star, from := -1, 0
	g, runes := []rune(glob), []rune(text)
	at := 0
	for i := 0; i < len(runes); {
		switch {
		case at < len(g) && g[at] == '*':
			star, from = at, i
			at++
		case at < len(g) && (g[at] == '?' || g[at] == runes[i]):
			at++
			i++
		case star >= 0:
			from++
			at, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(string(g[at:]), "*") == ""
}

// expression is a glob as a regular expression that Alertmanager anchors.
func expression(glob string) string {
	return "(?s)" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(glob))
}

// literal says that a glob stands for just itself.
func literal(glob string) bool { return glob != "" && !strings.ContainsAny(glob, "*?") }
