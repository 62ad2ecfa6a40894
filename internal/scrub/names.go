package scrub

import "strings"

// maxKey is how long a name that says something of its value may be.
const maxKey = 64

// secrecy is what a name says of its value.
type secrecy int

const (
	public    secrecy = iota
	password          // any value is a secret
	likely            // a value is one if it looks like one; words are not: "invalid token: expired"
	authorize         // a value of an authorization header
	cookies           // a value of a cookie header
)

// ending is how names of secrets end, without signs and in lower case.
type ending struct {
	text  string
	means secrecy
	whole bool // the name is no longer than this
}

func endings() []ending {
	return []ending{
		{"authorization", authorize, false},
		{"cookie", cookies, false},
		{"cookies", cookies, false},
		{"password", password, false},
		{"passwd", password, false},
		{"passphrase", password, false},
		{"passcode", password, false},
		{"pwd", password, false},
		{"pass", likely, true},
		{"dbpass", password, false},
		{"rootpass", password, false},
		{"userpass", password, false},
		{"smtppass", password, false},
		{"secret", likely, false},
		{"secretkey", likely, false},
		{"token", likely, false},
		{"apikey", likely, false},
		{"appkey", likely, false},
		{"accesskey", likely, false},
		{"accesskeyid", likely, false},
		{"accesskeysecret", likely, false},
		{"privatekey", likely, false},
		{"encryptionkey", likely, false},
		{"signingkey", likely, false},
		{"credential", likely, false},
		{"credentials", likely, false},
		{"connectionstring", likely, false},
		{"sessionid", likely, false},
		{"sid", likely, true},
		{"connectsid", likely, false},
		{"jsessionid", likely, false},
		{"phpsessid", likely, false},
		{"cvv", likely, true},
		{"cvc", likely, true},
	}
}

// secrecyOf tells by a name as it is written.
func (s *Scrubber) secrecyOf(name string) secrecy {
	var buf [maxKey]byte
	n := 0
	for i := 0; i < len(name) && n < maxKey; i++ {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			buf[n] = c
			n++
		}
	}
	key := buf[:n]
	for _, k := range s.keys {
		if s.on[Password] && hasSuffix(key, k) {
			return password
		}
	}
	if n == 0 {
		return public
	}
	for i := range s.endings[key[n-1]] {
		e := &s.endings[key[n-1]][i]
		if !hasSuffix(key, e.text) || e.whole && n != len(e.text) {
			continue
		}
		if header := e.means == authorize || e.means == cookies; header && !s.on[Header] || !header && !s.on[Password] {
			return public
		}
		return e.means
	}
	if s.on[Password] && n > len("password") && strings.HasPrefix(string(key), "password") {
		return password // password2, passwordConfirmation, password_hash
	}
	return public
}

func hasSuffix(key []byte, end string) bool {
	return len(key) >= len(end) && string(key[len(key)-len(end):]) == end
}

// normalKey is a name without signs and in lower case.
func normalKey(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r | 0x20
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			return r
		}
		return -1
	}, name)
}

// name is what stands before a ":" or "=".
type name struct {
	text    string
	quoted  bool
	inside  byte // the quote before it that is not closed before its value: "Authorization: …"
	afterOf byte // what stands before it; 0 at the beginning of the text
}

// nameBefore reads backwards from text[i], not beyond floor.
func nameBefore(text string, i, floor int) (name, bool) {
	end := i
	for end > floor && i-end < 3 && isSpace(text[end-1]) {
		end--
	}
	var n name
	if end > floor && (text[end-1] == '"' || text[end-1] == '\'' || text[end-1] == '`') {
		n.quoted = true
		end--
		for end > floor && text[end-1] == '\\' {
			end--
		}
	} else if end > floor && text[end-1] == ']' { // user[password]=
		end--
	} else if end-floor > 3 && text[end-3:end] == "%5D" {
		end -= 3
	}
	if before := text[floor:end]; strings.HasSuffix(before, "密码") || strings.HasSuffix(before, "口令") {
		return name{text: "password", quoted: true}, true
	}
	start := end
	for start > floor && end-start < maxKey && isBase64URL(text[start-1]) {
		start--
	}
	if start == end {
		return n, false
	}
	n.text = text[start:end]
	if start > 0 {
		n.afterOf = text[start-1]
		if c := n.afterOf; !n.quoted && (c == '"' || c == '\'') {
			n.inside = c
		}
	}
	return n, true
}
