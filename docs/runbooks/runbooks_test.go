package runbooks

import (
	"strings"
	"testing"
)

func TestSummaries(t *testing.T) {
	for _, name := range Names() {
		for language, end := range map[string]string{"en": ".", "zh": "。"} {
			s := Summary(name, language)
			if !strings.HasSuffix(s, end) || strings.ContainsAny(s, "#`\n") {
				t.Errorf("%s in %s: %q", name, language, s)
			}
		}
	}
	if s := Summary("none", "en"); s != "" {
		t.Errorf("of no runbook: %q", s)
	}
	if s := Summary("PM2DaemonDown", "en"); s != "A PM2 daemon that was there has not answered for half a minute." {
		t.Errorf("%q", s)
	}
}
