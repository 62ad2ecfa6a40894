package logql

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode/utf8"

	"github.com/grafana/regexp"
)

func timeOf(ns int64) time.Time { return time.Unix(0, ns).UTC() }

// templateFuncs are the functions that Loki documents for templates. Those that
// could make much of little are bounded.
func templateFuncs(regex *regexCache) texttemplate.FuncMap {
	out := texttemplate.FuncMap{}
	for _, some := range []texttemplate.FuncMap{textFuncs(), mathFuncs(), timeFuncs(), regexFuncs(regex)} {
		for name, f := range some {
			out[name] = f
		}
	}
	return out
}

func textFuncs() texttemplate.FuncMap {
	return texttemplate.FuncMap{
		// Old names, which take the text first.
		"ToLower": strings.ToLower, "ToUpper": strings.ToUpper, "Replace": boundedReplace,
		"Trim": strings.Trim, "TrimLeft": strings.TrimLeft, "TrimRight": strings.TrimRight,
		"TrimPrefix": strings.TrimPrefix, "TrimSuffix": strings.TrimSuffix, "TrimSpace": strings.TrimSpace,

		"lower": strings.ToLower, "upper": strings.ToUpper, "title": title, "trim": strings.TrimSpace,
		"trimAll":    func(cut, s string) string { return strings.Trim(s, cut) },
		"trimPrefix": func(cut, s string) string { return strings.TrimPrefix(s, cut) },
		"trimSuffix": func(cut, s string) string { return strings.TrimSuffix(s, cut) },
		"contains":   func(part, s string) bool { return strings.Contains(s, part) },
		"hasPrefix":  func(part, s string) bool { return strings.HasPrefix(s, part) },
		"hasSuffix":  func(part, s string) bool { return strings.HasSuffix(s, part) },
		"replace":    func(old, with, s string) (string, error) { return boundedReplace(s, old, with, -1) },
		"repeat":     repeat,
		"trunc":      trunc,
		"substr":     substr,
		"indent":     indent,
		"nindent":    func(n int, s string) (string, error) { s, err := indent(n, s); return "\n" + s, err },
		"alignLeft":  alignLeft,
		"alignRight": alignRight,
		"default":    defaultTo,
		"printf":     printf,
		"urlencode":  url.QueryEscape,
		"urldecode":  url.QueryUnescape,
		"b64enc":     func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
		"b64dec":     func(s string) (string, error) { b, err := base64.StdEncoding.DecodeString(s); return string(b), err },
		"fromJson":   fromJSON,

		// Go's own, which are guarded by being here.
		"print": fmt.Sprint, "println": fmt.Sprintln,
		"html": texttemplate.HTMLEscaper, "js": texttemplate.JSEscaper, "urlquery": texttemplate.URLQueryEscaper,
	}
}

func bounded(n int) error {
	if n > maxTemplateOutput {
		return errTemplateOutput
	}
	return nil
}

func boundedReplace(s, old, with string, n int) (string, error) {
	if err := bounded(len(s) + (strings.Count(s, old)+1)*len(with)); err != nil {
		return "", err
	}
	return strings.Replace(s, old, with, n), nil
}

func repeat(n int, s string) (string, error) {
	if n < 0 || n > maxTemplateOutput || n*len(s) > maxTemplateOutput {
		return "", errTemplateOutput
	}
	return strings.Repeat(s, n), nil
}

// trunc keeps the first n characters, or the last -n.
func trunc(n int, s string) string {
	runes := []rune(s)
	switch {
	case n >= 0 && n < len(runes):
		return string(runes[:n])
	case n < 0 && -n < len(runes):
		return string(runes[len(runes)+n:])
	}
	return s
}

func substr(start, end int, s string) string {
	runes := []rune(s)
	start = min(max(start, 0), len(runes))
	if end < 0 || end > len(runes) {
		end = len(runes)
	}
	return string(runes[start:max(start, end)])
}

func indent(n int, s string) (string, error) {
	if n < 0 || n > 1000 {
		return "", fmt.Errorf("an indent of %d", n)
	}
	pad := strings.Repeat(" ", n)
	s, err := boundedReplace(s, "\n", "\n"+pad, -1)
	return pad + s, err
}

func alignLeft(n int, s string) (string, error) { return align(n, s, true) }

func alignRight(n int, s string) (string, error) { return align(n, s, false) }

// align makes s that many characters long.
func align(n int, s string, left bool) (string, error) {
	if n < 0 || n > maxTemplateOutput {
		return s, bounded(n)
	}
	length := utf8.RuneCountInString(s)
	pad := strings.Repeat(" ", max(0, n-length))
	switch {
	case left && length > n:
		return trunc(n, s), nil
	case left:
		return s + pad, nil
	case length > n:
		return string([]rune(s)[length-n:]), nil
	}
	return pad + s, nil
}

func defaultTo(fallback string, value any) string {
	if s := fmt.Sprint(value); value != nil && s != "" {
		return s
	}
	return fallback
}

// maxVerbs is how many a format may have: each may write its argument anew.
const maxVerbs = 32

// printf refuses the widths that make much of little.
func printf(format string, args ...any) (string, error) {
	if strings.Count(format, "%") > maxVerbs {
		return "", fmt.Errorf("printf with more than %d verbs", maxVerbs)
	}
	digits := 0
	for _, c := range format {
		if digits++; c < '0' || c > '9' {
			digits = 0
		}
		if digits > 4 || c == '*' {
			return "", fmt.Errorf("printf with a width of more than 9999, or of an argument")
		}
	}
	s := fmt.Sprintf(format, args...)
	return s, bounded(len(s))
}

func title(s string) string {
	before := ' '
	return strings.Map(func(r rune) rune {
		if before == ' ' || before == '\t' || before == '\n' {
			before = r
			return []rune(strings.ToUpper(string(r)))[0]
		}
		before = r
		return r
	}, s)
}

func fromJSON(s string) (out any) {
	_ = json.Unmarshal([]byte(s), &out) // nil, as in Loki
	return out
}

func mathFuncs() texttemplate.FuncMap {
	f := texttemplate.FuncMap{
		"int":     func(v any) int64 { return int64(toFloat(v)) },
		"float64": toFloat,
		"add": func(first any, more ...any) int64 {
			return foldInt(first, more, func(a, b int64) int64 { return a + b })
		},
		"mul": func(first any, more ...any) int64 {
			return foldInt(first, more, func(a, b int64) int64 { return a * b })
		},
		"max": func(first any, more ...any) int64 {
			return foldInt(first, more, func(a, b int64) int64 { return max(a, b) })
		},
		"min": func(first any, more ...any) int64 {
			return foldInt(first, more, func(a, b int64) int64 { return min(a, b) })
		},
		"sub":   func(a, b any) int64 { return toInt(a) - toInt(b) },
		"div":   func(a, b any) (int64, error) { return divide(a, b, func(a, b int64) int64 { return a / b }) },
		"mod":   func(a, b any) (int64, error) { return divide(a, b, func(a, b int64) int64 { return a % b }) },
		"ceil":  func(v any) float64 { return math.Ceil(toFloat(v)) },
		"floor": func(v any) float64 { return math.Floor(toFloat(v)) },
		"round": round,
		"bytes": func(s string) (float64, error) { n, err := parseBytes(s); return float64(n), err },
	}
	for name, op := range map[string]func(a, b float64) float64{
		"addf": func(a, b float64) float64 { return a + b }, "subf": func(a, b float64) float64 { return a - b },
		"mulf": func(a, b float64) float64 { return a * b }, "divf": func(a, b float64) float64 { return a / b },
		"maxf": math.Max, "minf": math.Min,
	} {
		f[name] = func(first any, more ...any) float64 {
			out := toFloat(first)
			for _, v := range more {
				out = op(out, toFloat(v))
			}
			return out
		}
	}
	return f
}

func foldInt(first any, more []any, op func(a, b int64) int64) int64 {
	out := toInt(first)
	for _, v := range more {
		out = op(out, toInt(v))
	}
	return out
}

func divide(a, b any, op func(a, b int64) int64) (int64, error) {
	if toInt(b) == 0 {
		return 0, fmt.Errorf("division by 0")
	}
	return op(toInt(a), toInt(b)), nil
}

func toInt(v any) int64 {
	if s, ok := v.(string); ok {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	}
	return int64(toFloat(v))
}

func toFloat(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case string:
		f, _ := strconv.ParseFloat(v, 64) // 0, as in Loki
		return f
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

// round to so many digits; what lies in the middle goes up.
func round(v any, digits int, at ...float64) float64 {
	middle := 0.5
	if len(at) > 0 {
		middle = at[0]
	}
	scale := math.Pow(10, float64(digits))
	whole, part := math.Modf(toFloat(v) * scale)
	if part >= middle {
		whole++
	}
	return whole / scale
}

// regexCache keeps the expressions of one template.
type regexCache struct {
	known map[string]costlyRegex
	spend func(bytes int) error
}

type costlyRegex struct {
	*regexp.Regexp
	steps int
}

// get returns the expression, where there is still work left to match s with it.
func (c *regexCache) get(pattern, s string) (*regexp.Regexp, error) {
	re, ok := c.known[pattern]
	if !ok {
		var err error
		if re.steps, err = checkRegex(pattern); err != nil {
			return nil, err
		}
		if re.Regexp, err = regexp.Compile(pattern); err != nil {
			return nil, err
		}
		if c.known == nil || len(c.known) >= 100 {
			c.known = map[string]costlyRegex{}
		}
		c.known[pattern] = re
	}
	return re.Regexp, c.spend(len(s) * re.steps / cheapSteps)
}

// cheapSteps is how many steps of an expression cost no more than another
// function.
const cheapSteps = 100

func regexFuncs(cache *regexCache) texttemplate.FuncMap {
	replace := func(literal bool) func(pattern, s, with string) (string, error) {
		return func(pattern, s, with string) (string, error) {
			re, err := cache.get(pattern, s)
			if err != nil {
				return "", err
			}
			if (len(s)+1)*(len(with)+1) > 64*maxTemplateOutput { // the most that groups can make of it
				return "", errTemplateOutput
			}
			if literal {
				s = re.ReplaceAllLiteralString(s, with)
			} else {
				s = re.ReplaceAllString(s, with)
			}
			return s, bounded(len(s))
		}
	}
	return texttemplate.FuncMap{
		"regexReplaceAll":        replace(false),
		"regexReplaceAllLiteral": replace(true),
		"count": func(pattern, s string) (int, error) {
			re, err := cache.get(pattern, s)
			if err != nil {
				return 0, err
			}
			return len(re.FindAllStringIndex(s, -1)), nil
		},
	}
}

func timeFuncs() texttemplate.FuncMap {
	return texttemplate.FuncMap{
		"now":              time.Now,
		"date":             func(layout string, t time.Time) (string, error) { return t.Format(layout), bounded(len(layout)) },
		"toDate":           func(layout, s string) time.Time { t, _ := time.Parse(layout, s); return t }, // zero, as in Loki
		"toDateInZone":     toDateInZone,
		"unixEpoch":        func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) },
		"unixEpochMillis":  func(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) },
		"unixEpochNanos":   func(t time.Time) string { return strconv.FormatInt(t.UnixNano(), 10) },
		"unixToTime":       unixToTime,
		"duration":         durationSeconds,
		"duration_seconds": durationSeconds,
	}
}

func durationSeconds(s string) (float64, error) {
	d, err := time.ParseDuration(s)
	return d.Seconds(), err
}

func toDateInZone(layout, zone, s string) (time.Time, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return time.Time{}, err
	}
	t, _ := time.ParseInLocation(layout, s, location) // zero, as in Loki
	return t, nil
}

// unixToTime tells days, seconds and their parts apart by how long the number is.
func unixToTime(s string) (time.Time, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return time.Time{}, err
	}
	switch len(s) {
	case 5:
		return time.Unix(n*86400, 0).UTC(), nil
	case 10:
		return time.Unix(n, 0).UTC(), nil
	case 13:
		return time.UnixMilli(n).UTC(), nil
	case 16:
		return time.UnixMicro(n).UTC(), nil
	case 19:
		return time.Unix(0, n).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("unable to parse time '%s'", clip(s, 40))
}
