package sessionstore

import "github.com/prometheus/prometheus/model/labels"

// Matches is true if all matchers match. An absent label is the empty text.
func (s *Stream) Matches(matchers []*labels.Matcher) bool {
	for _, m := range matchers {
		if !m.Matches(s.Labels.Get(m.Name)) {
			return false
		}
	}
	return true
}
