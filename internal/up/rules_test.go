package up

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRulesSpeakAsReceivers: texts are in the language of the receivers unless
// the rules' configuration names one.
func TestRulesSpeakAsReceivers(t *testing.T) {
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte("language: en\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, receivers string
		chinese         bool
	}{{"", "", false}, {"", "zh", true}, {file, "zh", false}} {
		files, err := Options{RulesConfigFile: c.file}.rules(c.receivers)
		if err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if strings.Contains(text, "反复崩溃") != c.chinese {
				t.Errorf("%+v: %s is in Chinese: %t", c, name, !c.chinese)
			}
		}
	}
}
