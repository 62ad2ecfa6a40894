package discovery

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// printable makes a text safe for logs and labels: valid UTF-8, nothing that a
// terminal acts on or that cannot be seen.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '_'
	}, strings.ToValidUTF8(s, "_"))
}

// head is the beginning of a text, at most n bytes of it and no part of a character.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
