package dashboards

import "github.com/pm25/pm25/rules"

// text is what people read, in each language.
type text struct{ en, zh string }

func (t text) in(language string) string {
	if language == rules.Chinese && t.zh != "" {
		return t.zh
	}
	return t.en
}
