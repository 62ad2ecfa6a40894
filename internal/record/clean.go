package record

import (
	"strings"
	"unicode/utf8"
)

// CleanName makes s pass as a name: one line of valid UTF-8 without control
// characters, of at most MaxName bytes.
func CleanName(s string) string {
	s, _ = cut(s, 4*MaxName)
	s = strings.Map(func(r rune) rune {
		if isControl(r) {
			return utf8.RuneError
		}
		return r
	}, s)
	s, _ = cut(s, MaxName)
	return s
}

// CleanText makes s pass as a text of at most limit bytes; shorter is true
// where something of it is missing.
func CleanText(s string, limit int) (text string, shorter bool) {
	s, was := cut(s, limit)
	s = strings.ReplaceAll(s, "\x00", "\uFFFD")
	s, is := cut(s, limit)
	return s, was || is
}

// cut shortens s to limit bytes without splitting a rune, and makes it valid.
func cut(s string, limit int) (string, bool) {
	shorter := false
	for range 2 { // making it valid may make it longer
		if len(s) > limit {
			end := limit
			for end > 0 && end > limit-utf8.UTFMax && !utf8.RuneStart(s[end]) {
				end--
			}
			s, shorter = s[:end], true
		}
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	return s, shorter
}
