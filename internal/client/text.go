package client

import (
	"strings"
	"unicode"
)

// Printable is text in which nothing speaks to a terminal: what apps throw may
// hold escape sequences.
func Printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || r == '\n' || r == '\t' {
			return r
		}
		return '\uFFFD'
	}, s)
}
