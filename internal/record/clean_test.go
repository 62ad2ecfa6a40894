package record

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzClean(f *testing.F) {
	f.Add("plain", 10)
	f.Add(strings.Repeat("\xff", 600), 256)
	f.Add(strings.Repeat("订", 200)+"\u2028\x00", 7)
	f.Add("a\nb\tc\x00", 4)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(8, min(limit, 1<<16))
		c := checker{}
		c.name("name", CleanName(s), false)
		text, shorter := CleanText(s, limit)
		c.text("text", text, limit)
		if c.refusal != nil {
			t.Fatalf("%q: %s", s, c.refusal.Error)
		}
		if plain := utf8.ValidString(s) && !strings.ContainsRune(s, 0); plain && len(s) <= limit && (text != s || shorter) {
			t.Fatalf("%q came out as %q", s, text)
		}
	})
}
