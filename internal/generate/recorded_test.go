package generate

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var recordedSeries = regexp.MustCompile(`\bpm2_[a-z]+:[a-z0-9_]+:[a-z0-9_]+\b`)

// TestBoardsAskWhatRulesRecord: of classic histograms and of native ones, in files
// that are written together.
func TestBoardsAskWhatRulesRecord(t *testing.T) {
	for _, native := range []bool{false, true} {
		o := options()
		o.Rules.Native = native
		all := generated(t, o)
		var asked []string
		for path, text := range all {
			if strings.HasPrefix(path, "grafana/dashboards/") {
				asked = append(asked, recordedSeries.FindAllString(text, -1)...)
			}
		}
		slices.Sort(asked)
		asked = slices.Compact(asked)
		for _, name := range asked {
			if !strings.Contains(all["prometheus/rules/pm25.yml"], "record: "+name+"\n") {
				t.Errorf("native %t: a board asks %s, which no rule records", native, name)
			}
		}
		if slices.Contains(asked, "pm2_app:pm2_http_request_duration_seconds:rate5m") != native || len(asked) < 10 {
			t.Errorf("native %t: boards ask %q", native, asked)
		}
	}
}
