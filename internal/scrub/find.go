package scrub

import "strings"

// trigger says where find looks: most bytes of a text begin no secret.
type trigger uint8

const (
	never trigger = iota
	wordStart
	always
)

func (s *Scrubber) setTriggers() {
	set := func(class Class, t trigger, bytes string) {
		for i := range len(bytes) {
			if c := bytes[i]; s.on[class] {
				s.trigger[c] = max(s.trigger[c], t)
			}
		}
	}
	set(Header, always, ":=,>")
	set(Password, always, ":=>")
	set(Password, wordStart, "-")
	set(Token, wordStart, "eBb")
	set(PrivateKey, wordStart, "-")
	set(Card, always, "0123456789")
	set(Phone, always, "0123456789+")
	set(IDCard, always, "0123456789")
	for _, f := range keyForms() {
		set(Key, wordStart, f.prefix[:1])
		s.forms[f.prefix[0]] = append(s.forms[f.prefix[0]], f)
	}
	s.trigger['['] = always // a mark
}

// find looks for what stands at text[i]. No name of it begins before floor.
// A finding without a mark is passed over as it is.
func (s *Scrubber) find(text string, i, floor int) (finding, bool) {
	switch c := text[i]; {
	case c == '[':
		n := markAt(text[i:])
		return finding{start: i, end: i + n, marked: true}, n > 0
	case c == ':' || c == '=':
		return s.named(text, i, floor)
	case c == ',':
		if i < 2 || text[i-1] != '"' && text[i-1] != '\'' || strings.IndexByte("nesNES", text[i-2]) < 0 {
			return finding{}, false // not after 'Authorization' or 'Cookie'
		}
		return s.named(text, i, floor)
	case c == '>':
		return s.element(text, i, floor)
	case c >= '0' && c <= '9':
		return s.number(text, i)
	case c == '+':
		return s.international(text, i)
	case c == '-':
		if strings.HasPrefix(text[i:], "--") && s.on[Password] {
			if f, ok := s.option(text, i); ok {
				return f, true
			}
		}
		return s.privateKey(text, i)
	}
	if f, ok := s.token(text, i); ok {
		return f, true
	}
	return s.key(text, i)
}

// privateKey is a PEM block, to its end or that of the text.
func (s *Scrubber) privateKey(text string, i int) (finding, bool) {
	const begin, end = "-----BEGIN ", "PRIVATE KEY-----"
	if !s.on[PrivateKey] || !strings.HasPrefix(text[i:], begin) {
		return finding{}, false
	}
	rest := text[i+len(begin):]
	name := strings.Index(rest[:min(len(rest), 40)], end)
	if name < 0 || strings.ContainsAny(rest[:name], "\n-") {
		return finding{}, false
	}
	start := i + len(begin) + name + len(end)
	if strings.HasPrefix(text[start:], markOpen) {
		return finding{start: i, end: start}, true
	}
	stop := len(text)
	if at := strings.Index(text[start:], "-----END "); at >= 0 {
		stop = start + at
	}
	return finding{start: start, end: stop, mark: markOf(PrivateKey)}, stop > start
}

// token is a JSON Web Token, or Bearer or Basic and what follows.
func (s *Scrubber) token(text string, i int) (finding, bool) {
	if !s.on[Token] {
		return finding{}, false
	}
	rest := text[i:]
	switch {
	case strings.HasPrefix(rest, "eyJ"):
		n := jwt(rest)
		return finding{start: i, end: i + n, mark: markOf(Token)}, n > 0
	case foldPrefix(rest, "bearer "), foldPrefix(rest, "basic "):
		word := strings.IndexByte(rest, ' ')
		for word < len(rest) && rest[word] == ' ' {
			word++
		}
		n := runOf(rest[word:], isToken)
		value := rest[word : word+n]
		if n >= 8 && (n >= 24 || hasDigit(value) || strings.HasSuffix(value, "=")) {
			return finding{start: i + word, end: i + word + n, mark: markOf(Token)}, true
		}
	}
	return finding{}, false
}

// jwt is the length of the token that s begins with.
func jwt(s string) int {
	n := 0
	for part := range 3 {
		m := runOf(s[n:], isBase64URL)
		if part < 2 && (m < 10 || n+m >= len(s) || s[n+m] != '.') {
			return 0
		}
		n += m
		if part < 2 {
			n++
		}
	}
	return n
}

// keyForm is how the keys of a service look: a prefix, and how many characters
// follow it.
type keyForm struct {
	prefix   string
	min, max int
	upper    bool // capitals and digits only
}

// keyForms are those of AWS, GitHub, GitLab, Slack, Stripe, OpenAI and their
// like, Google, npm, SendGrid, Aliyun and Tencent Cloud.
func keyForms() []keyForm {
	return []keyForm{
		{"AKIA", 16, 16, true},
		{"ASIA", 16, 16, true},
		{"AKID", 32, 64, false},
		{"AIza", 35, 35, false},
		{"LTAI", 12, 30, false},
		{"ghp_", 30, 255, false},
		{"gho_", 30, 255, false},
		{"ghu_", 30, 255, false},
		{"ghs_", 30, 255, false},
		{"ghr_", 30, 255, false},
		{"github_pat_", 22, 255, false},
		{"glpat-", 20, 255, false},
		{"npm_", 36, 36, false},
		{"sk_live_", 10, 255, false},
		{"sk_test_", 10, 255, false},
		{"rk_live_", 10, 255, false},
		{"sk-", 20, 255, false},
		{"SG.", 40, 100, false},
		{"xoxa-", 10, 255, false},
		{"xoxb-", 10, 255, false},
		{"xoxp-", 10, 255, false},
		{"xoxr-", 10, 255, false},
		{"xoxs-", 10, 255, false},
		{"xapp-", 10, 255, false},
		{"amzn.mws.", 30, 64, false},
	}
}

func (s *Scrubber) key(text string, i int) (finding, bool) {
	if !s.on[Key] {
		return finding{}, false
	}
	rest := text[i:]
	for _, f := range s.forms[rest[0]] {
		if !strings.HasPrefix(rest, f.prefix) {
			continue
		}
		n := runOf(rest[len(f.prefix):], func(c byte) bool {
			return isBase64URL(c) || c == '.' && f.prefix == "SG."
		})
		value := rest[len(f.prefix) : len(f.prefix)+n]
		if n < f.min || n > f.max || !hasDigit(value) || f.upper && strings.ToUpper(value) != value {
			continue
		}
		return finding{start: i, end: i + len(f.prefix) + n, mark: markOf(Key)}, true
	}
	return finding{}, false
}
