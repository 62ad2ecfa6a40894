package sourcemap

import (
	"strings"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

// around sets the line of a call and those around it; false if content has no
// such line.
func around(f *record.Frame, content string) bool {
	first := max(1, f.Line-record.MaxAround)
	for n := 1; n < first; n++ {
		end := strings.IndexByte(content, '\n')
		if end < 0 {
			return false
		}
		content = content[end+1:]
	}
	f.Before, f.After, f.Text = nil, nil, ""
	for n := first; n <= f.Line+record.MaxAround; n++ {
		if content == "" && n > f.Line {
			break
		}
		line, rest, more := strings.Cut(content, "\n")
		switch {
		case n < f.Line:
			f.Before = append(f.Before, clip(line, 0))
		case n == f.Line:
			f.Text = clip(line, f.Column)
		default:
			f.After = append(f.After, clip(line, 0))
		}
		if content = rest; !more {
			if n < f.Line {
				f.Before = nil
				return false
			}
			break
		}
	}
	return true
}

// clip shortens a line to what a record takes, around a column, from 1 on.
func clip(line string, column int) string {
	line = strings.TrimRight(line, "\r \t")
	if from := column - 1 - record.MaxSource/2; from > 0 && len(line) > record.MaxSource {
		from = min(from, len(line)-record.MaxSource)
		line = line[from:]
		for line != "" && !utf8.RuneStart(line[0]) {
			line = line[1:]
		}
	}
	if len(line) > record.MaxSource {
		end := record.MaxSource
		for end > 0 && !utf8.RuneStart(line[end]) {
			end--
		}
		line = line[:end]
	}
	line = strings.ReplaceAll(strings.ToValidUTF8(line, "?"), "\x00", "?")
	return line
}
