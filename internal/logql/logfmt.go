package logql

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

func (s *LogfmtStage) compile(*program) step {
	if len(s.Fields) > 0 {
		return s.named
	}
	return func(l *line) bool {
		err := eachPair(l.text, s.Strict, func(key, value string) {
			if value == "" && !s.KeepEmpty {
				return
			}
			if name := sanitize(key, true); name != "" {
				l.extract(name, value)
			}
		})
		if err != nil {
			l.fail(errorLogfmt, err.Error())
		}
		return true
	}
}

// named makes labels of the keys that were asked for.
func (s *LogfmtStage) named(l *line) bool {
	values := map[string]string{}
	err := eachPair(l.text, s.Strict, func(key, value string) {
		if _, seen := values[key]; !seen {
			values[key] = value
		}
	})
	if err != nil {
		l.fail(errorLogfmt, err.Error())
		return true
	}
	for _, f := range s.Fields {
		l.extract(f.Label, values[f.Path])
	}
	return true
}

var (
	errLogfmtQuote = errors.New("a quoted value without its end")
	errLogfmtKey   = errors.New("a key with a quote or an equals sign in it")
)

// eachPair calls yield with the pairs of a logfmt line. What is no pair is passed
// over, or an error if strict.
func eachPair(s string, strict bool, yield func(key, value string)) error {
	for {
		s = strings.TrimLeftFunc(s, isBlank)
		if s == "" {
			return nil
		}
		key, rest, err := logfmtKey(s)
		if err != nil {
			if strict {
				return err
			}
			s = pastWord(s)
			continue
		}
		if !strings.HasPrefix(rest, "=") {
			yield(key, "")
			s = rest
			continue
		}
		value, rest, err := logfmtValue(rest[1:])
		if err != nil {
			if strict {
				return err
			}
			s = pastWord(s)
			continue
		}
		yield(key, value)
		s = rest
	}
}

func pastWord(s string) string {
	if end := strings.IndexFunc(s, isBlank); end >= 0 {
		return s[end:]
	}
	return ""
}

func isBlank(r rune) bool { return r <= ' ' }

func logfmtKey(s string) (key, rest string, err error) {
	end := 0
	for end < len(s) && s[end] > ' ' && s[end] != '=' {
		if s[end] == '"' {
			return "", "", errLogfmtKey
		}
		end++
	}
	if end == 0 || !utf8.ValidString(s[:end]) {
		return "", "", errLogfmtKey
	}
	return s[:end], s[end:], nil
}

func logfmtValue(s string) (value, rest string, err error) {
	if !strings.HasPrefix(s, `"`) {
		end := 0
		for end < len(s) && s[end] > ' ' {
			if s[end] == '"' || s[end] == '=' {
				return "", "", errLogfmtKey
			}
			end++
		}
		return s[:end], s[end:], nil
	}
	end := 1
	for end < len(s) && s[end] != '"' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s) {
		return "", "", errLogfmtQuote
	}
	raw, rest := s[:end+1], s[end+1:]
	if !strings.Contains(raw, `\`) {
		return raw[1 : len(raw)-1], rest, nil
	}
	if value, err = strconv.Unquote(strings.ReplaceAll(raw, "\n", `\n`)); err != nil {
		return "", "", errLogfmtQuote
	}
	return value, rest, nil
}
