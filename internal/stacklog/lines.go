package stacklog

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// afterTime cuts off the time that PM2 writes before lines, where it is told to
// by --time or log_date_format: "2026-11-26T10:00:00: ".
func afterTime(text []byte) []byte {
	if len(text) == 0 || text[0] < '0' || text[0] > '9' {
		return text
	}
	digits := 0
	for i := 0; i < min(len(text)-1, 48); i++ {
		switch c := text[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == ':' && text[i+1] == ' ':
			if digits >= 6 {
				return text[i+2:]
			}
			return text
		case c == ':' && i+2 == len(text): // an empty line whose end was trimmed
		case bytes.IndexByte([]byte("-:/., +TZAPM"), c) < 0:
			return text
		}
	}
	return text
}

// withoutColors leaves out the sequences that color a terminal.
func withoutColors(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != 0x1b || i+1 == len(text) || text[i+1] != '[' {
			out = append(out, text[i])
			continue
		}
		for i += 2; i < len(text) && (text[i] < '@' || text[i] > '~'); i++ {
			// to the letter that ends it
		}
	}
	return out
}

func indentation(s string) int { return len(s) - len(strings.TrimLeft(s, " \t")) }

// fit cuts f to the limits of records.
func (f Found) fit() Found {
	f.Name, f.Code = name(f.Name), name(f.Code)
	if f.Name == "" {
		f.Name = "Error"
	}
	f.Message, f.Stack = text(f.Message, record.MaxMessage), wholeLines(f.Stack)
	f.Causes = f.Causes[:min(len(f.Causes), record.MaxCauses)]
	for i := range f.Causes {
		c := &f.Causes[i]
		c.Name, c.Message, c.Stack = name(c.Name), text(c.Message, record.MaxMessage), wholeLines(c.Stack)
	}
	return f
}

func name(s string) string {
	return text(strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return -1
		}
		return r
	}, s), record.MaxName)
}

func text(s string, limit int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if len(s) <= limit {
		return s
	}
	for limit > 0 && !utf8.RuneStart(s[limit]) {
		limit--
	}
	return s[:limit]
}

// wholeLines cuts a stack to its limit at the end of a line.
func wholeLines(s string) string {
	cut := text(s, record.MaxStack)
	if len(cut) == len(s) || len(s) <= record.MaxStack {
		return cut
	}
	if at := strings.LastIndexByte(cut, '\n'); at > 0 {
		return cut[:at]
	}
	return cut
}
