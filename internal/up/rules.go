package up

import "github.com/pm25/pm25/rules"

// rules are the built-in rule files, as --rules.config.file wants them, in the
// language of the receivers where it names none.
func (o Options) rules(language string) (map[string]string, error) {
	c := rules.Default()
	if o.RulesConfigFile != "" {
		var err error
		if c, err = rules.ReadConfig(o.RulesConfigFile); err != nil {
			return nil, err
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
