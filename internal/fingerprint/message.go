package fingerprint

import (
	"regexp"
	"strings"
)

// maxParameterised is how much of a message's first line counts.
const maxParameterised = 1 << 10

// variable are the parts of a message that change from one time to the next;
// of two that match at one place the first one here wins.
var variable = regexp.MustCompile(strings.Join([]string{
	`(?P<mark>\[redacted[^\]]{0,20}\])`,
	`(?P<engine>\((?:reading|setting) '[^']{1,64}'\))`, // a name in the app's code, which tells bugs apart
	`(?P<email>[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)`,
	`(?P<url>\b[a-z][a-z0-9+.-]{1,15}://[^\s"'<>]+)`,
	`(?P<quoted>"(?:[^"\\]|\\.)*"|\B'(?:[^'\\]|\\.)*'|` + "`[^`]*`" + `|“[^”]*”|「[^」]*」|\\"[^"]*\\")`,
	`(?P<uuid>\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b)`,
	`(?P<trace>\b[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}\b)`,
	`(?P<ip>\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b|\b(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}\b|(?:[0-9a-fA-F]{1,4}:){0,6}[0-9a-fA-F]{0,4}::(?:[0-9a-fA-F]{1,4}:){0,6}[0-9a-fA-F]{1,4}\b)`,
	`(?P<date>\b\d{4}[-/]\d{2}[-/]\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?(?: ?Z|[+-]\d{2}:?\d{2})?)?|\b\d{2}:\d{2}:\d{2}(?:[.,]\d+)?\b|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d{1,2} \w{3} \d{4}(?: \d{2}:\d{2}:\d{2})?|\b\d{4}年\d{1,2}月\d{1,2}日)`,
	`(?P<sha1>\b[0-9a-f]{40}\b)`,
	`(?P<md5>\b[0-9a-f]{32}\b)`,
	`(?P<hostname>\b(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:com|net|org|io|dev|app|cn|local|internal|lan|cluster|cloud|info|biz|gov|edu|uk|de|fr|jp|eu|co)\b)`,
	`(?P<duration>\b\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h|d)\b|\b\d+(?:\.\d+)? ?(?:milliseconds?|seconds?|minutes?|hours?|days?)\b)`,
	`(?P<hex>\b0x[0-9a-fA-F]+\b|\b(?:[0-9]+[a-f]|[a-f]+[0-9])[0-9a-f]{5,}\b)`,
	`(?P<float>[-+]?\b\d+\.\d+(?:[eE][-+]?\d+)?\b)`,
	`(?P<int>[-+]?\b\d+\b|#\d+|\B-\d+\b|_\d+\b|\d{3,})`,
	`(?P<bool>\b(?:true|false)\b)`,
}, "|"))

// parameterise puts names in the place of what changes from one time to the
// next: "user 17 not found" is "user <int> not found".
func parameterise(line string) string {
	line = strings.ToValidUTF8(line, "\uFFFD")
	if len(line) > maxParameterised {
		line = strings.ToValidUTF8(line[:maxParameterised], "")
	}
	names := variable.SubexpNames()
	var b strings.Builder
	end := 0
	for _, m := range variable.FindAllStringSubmatchIndex(line, -1) {
		for g := 1; g < len(names); g++ {
			if m[2*g] < 0 {
				continue
			}
			if names[g] != "engine" {
				b.WriteString(line[end:m[0]] + "<" + names[g] + ">")
				end = m[1]
			}
			break
		}
	}
	b.WriteString(line[end:])
	return b.String()
}
