package routing

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		glob, text string
		want       bool
	}{
		{"", "", true},
		{"", "any", true},
		{"*", "", true},
		{"*", "any", true},
		{"?", "", false},
		{"?", "é", true},
		{"api", "api", true},
		{"api", "api2", false},
		{"api*", "api", true},
		{"a*c*e", "abcde", true},
		{"a*c*e", "abcdef", false},
		{"*ab", "aab", true},
		{"a.c", "abc", false},
		{`a\c`, `a\c`, true},
		{"**", "x", true},
		{"a", "", false},
		{"*" + strings.Repeat("a*", 30) + "b", strings.Repeat("a", 300), false},
	} {
		if got := match(c.glob, c.text); got != c.want {
			t.Errorf("match(%q, %q) = %t", c.glob, c.text, got)
		}
	}
}

// FuzzGlob holds Find and Alertmanager's matchers to one meaning.
func FuzzGlob(f *testing.F) {
	f.Add("a*c?", "abcd")
	f.Add(`\*?`, `\x`)
	f.Add("*\n", "a\n")
	f.Fuzz(func(t *testing.T, glob, text string) {
		if glob == "" || len(glob)+len(text) > 200 || !utf8.ValidString(glob) || !utf8.ValidString(text) {
			t.Skip()
		}
		re, err := regexp.Compile("^(?:" + expression(glob) + ")$")
		if err != nil {
			t.Fatalf("%q: %v", expression(glob), err)
		}
		if got, want := match(glob, text), re.MatchString(text); got != want {
			t.Errorf("match(%q, %q) = %t, but %q says %t", glob, text, got, expression(glob), want)
		}
		if literal(glob) && match(glob, text) != (glob == text) {
			t.Errorf("%q is not just itself", glob)
		}
	})
}
