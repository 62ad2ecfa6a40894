package scrub

import "strings"

// maxValue is how far the end of a quoted value is looked for.
const maxValue = 8 << 10

// named looks at the ":" or "=" at text[i]: a URL's, or between a name and its
// value. A "," is so in lists of headers: 'Cookie', 'a=b'.
func (s *Scrubber) named(text string, i, floor int) (finding, bool) {
	if strings.HasPrefix(text[i:], "://") {
		return s.userInfo(text, i)
	}
	n, ok := nameBefore(text, i, floor)
	if !ok {
		return finding{}, false
	}
	means := s.secrecyOf(n.text)
	if means == public || text[i] == ',' && (!n.quoted || !means.header()) {
		return finding{}, false
	}
	at := i + 1
	if text[i] == '=' && at < len(text) && text[at] == '>' {
		at++
	} else if at < len(text) && (text[at] == '=' || text[at] == ':') {
		return finding{}, false // a comparison, or C++
	}
	spaced := at
	for at < len(text) && at-spaced < 16 && isSpace(text[at]) {
		at++
	}
	v := valueAt(text, at)
	if v.mark > 0 {
		return finding{start: i, end: at + v.mark, marked: true}, true
	}
	if v.list && text[i] == ':' {
		return finding{start: v.start, end: v.end, mark: means.mark()}, true
	}
	if !v.quoted && text[i] != ',' {
		v = bare(text, v, n, means, text[i] == ':', at > spaced)
	}
	if v.start >= v.end || means == likely && v.quoted && v.end-v.start < 4 {
		return finding{}, false
	}
	return finding{start: v.start, end: v.end, mark: means.mark()}, true
}

// option looks at "--password value" of a command line, at text[i].
func (s *Scrubber) option(text string, i int) (finding, bool) {
	const longest = maxKey + 2
	n := 2 + runOf(text[i+2:min(len(text), i+longest)], isBase64URL)
	if n == 2 || i+n == len(text) || text[i+n] != ' ' {
		return finding{}, false
	}
	means := s.secrecyOf(text[i+2 : i+n])
	if means != password && means != likely {
		return finding{}, false
	}
	at := i + n + 1
	v := valueAt(text, at)
	if v.mark > 0 {
		return finding{start: i, end: at + v.mark, marked: true}, true
	}
	if !v.quoted {
		v.end = at + wordOf(text[at:], 0)
	}
	if v.start >= v.end || text[at] == '-' {
		return finding{}, false
	}
	return finding{start: v.start, end: v.end, mark: means.mark()}, true
}

// element looks at the ">" at text[i]: of XML such as <password>value</password>.
func (s *Scrubber) element(text string, i, floor int) (finding, bool) {
	n, ok := nameBefore(text, i, floor)
	if !ok || n.quoted || n.afterOf != '<' {
		return finding{}, false
	}
	means := s.secrecyOf(n.text)
	if means == public {
		return finding{}, false
	}
	start := i + 1
	if strings.HasPrefix(text[start:], "<![CDATA[") {
		start += len("<![CDATA[")
	}
	if m := markAt(text[start:]); m > 0 {
		return finding{start: i, end: start + m, marked: true}, true
	}
	size := strings.IndexAny(text[start:min(len(text), start+maxValue)], "<]\n")
	if size <= 0 {
		return finding{}, false
	}
	return finding{start: start, end: start + size, mark: means.mark()}, true
}

func (m secrecy) header() bool { return m == authorize || m == cookies }

func (m secrecy) mark() string {
	if m.header() {
		return markOf(Header)
	}
	return markOf(Password)
}

// value is text[start:end].
type value struct {
	start, end int
	quoted     bool
	list       bool // the list that Node's inspection prints
	mark       int  // the length of a mark that it begins with
}

func valueAt(text string, at int) value {
	v := value{start: at, end: at}
	if at+1 < len(text) && strings.IndexByte("ubrUBR", text[at]) >= 0 && (text[at+1] == '\'' || text[at+1] == '"') {
		at++ // Python's b'…'
	}
	slashes := runOf(text[at:], func(c byte) bool { return c == '\\' })
	if q := at + slashes; q < len(text) && (text[q] == '"' || text[q] == '\'' || text[q] == '`') && slashes < 16 {
		v.quoted = true
		v.start = q + 1
		v.end = closing(text, v.start, text[q], slashes)
	}
	if n := markAt(text[v.start:]); n > 0 {
		v.mark = v.start + n - at
		return v
	}
	if !v.quoted && at+1 < len(text) && text[at] == '[' && strings.IndexByte(" '\"\\\n", text[at+1]) >= 0 {
		if end := strings.IndexByte(text[at:min(len(text), at+maxValue)], ']'); end > 0 && !overlapsMark(text, at, at+end) {
			v.list, v.end = true, at+end+1
		}
	}
	return v
}

// closing is where a value ends that began after so many backslashes and quote.
func closing(text string, start int, quote byte, slashes int) int {
	limit := min(len(text), start+maxValue)
	before := 0
	for i := start; i < limit; i++ {
		switch c := text[i]; {
		case c == '\\':
			before++
			continue
		case c == quote && (before == slashes && slashes > 0 || slashes == 0 && before%2 == 0):
			return i - before*min(slashes, 1)
		}
		before = 0
	}
	if at := strings.IndexByte(text[start:limit], '\n'); at >= 0 {
		return start + at // it was cut off
	}
	for limit < len(text) && text[limit]&0xc0 == 0x80 {
		limit++
	}
	return limit
}

// bare is a value without quotes, empty where it is no secret.
func bare(text string, v value, n name, means secrecy, colon, spaced bool) value {
	none := value{start: v.start, end: v.start}
	if colon && !n.quoted && (n.afterOf == '/' || n.afterOf == '.' && !spaced) {
		return none // the line in a file
	}
	rest := text[v.start:]
	word := wordOf(rest, n.inside)
	first := rest[:word]
	switch first {
	case "", "null", "undefined", "true", "false", "none", "None", "nil", "True", "False", "NaN", "YES", "NO":
		return none
	}
	if strings.IndexByte("{[(<", first[0]) >= 0 || strings.Trim(first, "*") == "" {
		return none
	}
	secret := len(first) >= 16 || hasDigit(first)
	switch means {
	case authorize:
		v.end = v.start + authorization(rest, word, n.inside, colon)
		if v.end == v.start+word && colon && !secret {
			return none // authorization: denied
		}
	case cookies:
		v.end = v.start + word
		if colon && strings.Contains(first, "=") {
			v.end = v.start + lineOf(rest, n.inside)
		} else if !secret {
			return none
		}
	case likely:
		v.end = v.start + word
		position := colon && !spaced && strings.Trim(first, "0123456789:") == ""
		if colon && !secret || position || len(first) < 4 {
			return none
		}
	default:
		v.end = v.start + word
		if first[0] == '/' && strings.HasSuffix(normalKey(n.text), "pwd") {
			return none // the working directory
		}
	}
	return v
}

// authorization is the length of such a header's value.
func authorization(rest string, word int, inside byte, colon bool) int {
	first := rest[:word]
	switch strings.ToLower(first) {
	case "bearer", "basic", "token", "apikey", "negotiate", "ntlm":
		at := word
		for at < len(rest) && isSpace(rest[at]) {
			at++
		}
		if markAt(rest[at:]) > 0 {
			return 0 // done as a token
		}
		return at + wordOf(rest[at:], inside)
	case "digest", "hawk", "oauth", "signature", "aws4-hmac-sha256":
		if colon {
			return lineOf(rest, inside)
		}
	}
	return word
}

// wordOf is the length of the value that s begins with, without what belongs to
// the text around it.
func wordOf(s string, inside byte) int {
	n := 0
	for n < len(s) {
		c := s[n]
		if c <= ' ' || c == 0x7f || c == '"' || c == '\'' || c == '`' || c == '&' || c == ';' || c == '<' || c == '>' || c == '\\' || c == inside {
			break
		}
		if n > 0 && c == '[' && markAt(s[n:]) > 0 {
			break
		}
		n++
	}
	for n > 0 && strings.IndexByte(",)]}.:", s[n-1]) >= 0 {
		n--
	}
	return n
}

// lineOf is the length of the rest of the line, or up to the quote around it.
func lineOf(s string, inside byte) int {
	for n := range len(s) {
		c := s[n]
		if c == '\n' || c == '\r' || c == inside && inside != 0 || c == '\\' && n+1 < len(s) && (s[n+1] == 'n' || s[n+1] == 'r') || c == '[' && markAt(s[n:]) > 0 {
			return n
		}
	}
	return len(s)
}

// userInfo is the password in the URL whose "://" is at text[i].
func (s *Scrubber) userInfo(text string, i int) (finding, bool) {
	if !s.on[Password] {
		return finding{}, false
	}
	start := i + len("://")
	limit := min(len(text), start+512)
	end := start
	at := -1
	for end < limit && strings.IndexByte("/?# \t\r\n\"'`<>\\", text[end]) < 0 {
		if text[end] == '@' {
			at = end
		}
		end++
	}
	if at < 0 {
		return finding{}, false
	}
	colon := strings.IndexByte(text[start:at], ':')
	secret := start
	if colon >= 0 && markAt(text[start:]) == 0 {
		secret = start + colon + 1
	}
	if n := markAt(text[secret:]); n > 0 {
		return finding{start: i, end: secret + n, marked: true}, true
	}
	if secret == at || colon < 0 && (at-start < 20 || !hasDigit(text[start:at])) {
		return finding{}, false
	}
	return finding{start: secret, end: at, mark: markOf(Password)}, true
}
