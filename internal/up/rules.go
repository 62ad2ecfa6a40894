package up

import (
	"fmt"
	"os"

	"github.com/pm25/pm25/rules"
)

// rules are the built-in rule files, as --rules.config.file wants them, in the
// language of the receivers where it names none.
func (o Options) rules(language string) (map[string]string, error) {
	c := rules.Default()
	if o.RulesConfigFile != "" {
		text, err := os.ReadFile(o.RulesConfigFile)
		if err != nil {
			return nil, fmt.Errorf("--rules.config.file: %w", err)
		}
		if c, err = rules.ParseConfig(text); err != nil {
			return nil, fmt.Errorf("--rules.config.file %s: %w", o.RulesConfigFile, err)
		}
	}
	if c.Language == "" {
		c.Language = language
	}
	if c.GrafanaURL == "" {
		c.GrafanaURL = o.GrafanaURL
	}
	return map[string]string{"builtin/pm25.yml": rules.File(c)}, nil
}
