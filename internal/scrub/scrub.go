// Package scrub takes secrets out of what apps print and throw, before it is
// written down or sent anywhere.
//
// It guarantees that what it takes out is replaced by a mark that says what it
// was, that everything else stays byte for byte, that valid UTF-8 and valid
// JSON stay so, and that scrubbing twice is the same as once (but for patterns
// of the user's own). It does not guarantee to find a secret that looks like
// none and has no name beside it.
package scrub

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Class is a kind of secret.
type Class string

// The classes.
const (
	Header     Class = "header"      // values of authorization, cookie and their like
	Password   Class = "password"    // passwords in URLs, and values with a name such as password or token
	Token      Class = "token"       // JSON Web Tokens, Bearer and Basic credentials
	Key        Class = "key"         // keys of cloud and code hosting services, by their form
	PrivateKey Class = "private_key" // PEM blocks
	Card       Class = "card"        // numbers of payment cards, by their check digit
	Phone      Class = "phone"       // Chinese mobile numbers, and numbers that begin with +
	IDCard     Class = "id_card"     // Chinese identity cards, by their check digit
	Pattern    Class = "pattern"     // the user's own patterns
)

// Classes lists all classes.
func Classes() []Class {
	return []Class{Header, Password, Token, Key, PrivateKey, Card, Phone, IDCard, Pattern}
}

// Options say what is taken out, besides what always is.
type Options struct {
	// Keys are more names whose values are secrets: `invoice_no` is also
	// invoiceNo, INVOICE-NO and x_invoice_no.
	Keys []string
	// Patterns are RE2 expressions; what they match is taken out, or what their
	// first group matches.
	Patterns []string
	// Off are classes that are left alone.
	Off []Class
}

const (
	maxKeys     = 100
	maxPatterns = 20
	maxPattern  = 1000 // bytes
	minKey      = 3    // letters and digits
)

// Scrubber takes secrets out. It may be used by several goroutines at once.
type Scrubber struct {
	on       map[Class]bool
	keys     []string // normalised
	patterns []*regexp.Regexp
	trigger  [256]trigger
	endings  [256][]ending  // by their last byte
	forms    [256][]keyForm // by their first byte
}

// New returns an error that names the option and what is wrong with it.
func New(o Options) (*Scrubber, error) {
	s := &Scrubber{on: map[Class]bool{}}
	for _, c := range Classes() {
		s.on[c] = !slices.Contains(o.Off, c)
	}
	for _, c := range o.Off {
		if !slices.Contains(Classes(), c) {
			return nil, fmt.Errorf("class %q of secrets is none: use %s", c, join(Classes()))
		}
	}
	if len(o.Keys) > maxKeys || len(o.Patterns) > maxPatterns {
		return nil, fmt.Errorf("%d keys and %d patterns of secrets: at most %d and %d", len(o.Keys), len(o.Patterns), maxKeys, maxPatterns)
	}
	for _, k := range o.Keys {
		n := normalKey(k)
		if len(n) < minKey {
			return nil, fmt.Errorf("key %q of secrets: at least %d letters or digits of ASCII", k, minKey)
		}
		s.keys = append(s.keys, n)
	}
	for _, p := range o.Patterns {
		if len(p) > maxPattern {
			return nil, fmt.Errorf("pattern %.40q… of secrets is %d bytes long, at most %d", p, len(p), maxPattern)
		}
		re, err := regexp.Compile(p)
		if err != nil {
			return nil, fmt.Errorf("pattern %q of secrets: %w", p, err)
		}
		if re.MatchString("") {
			return nil, fmt.Errorf("pattern %q of secrets matches the empty text: let it match at least one character", p)
		}
		s.patterns = append(s.patterns, re)
	}
	s.setTriggers()
	for _, e := range endings() {
		last := e.text[len(e.text)-1]
		s.endings[last] = append(s.endings[last], e)
	}
	return s, nil
}

func join(classes []Class) string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = string(c)
	}
	return strings.Join(names, ", ")
}

// Text returns s without secrets. It is s itself where there are none.
func (s *Scrubber) Text(text string) string {
	text = s.builtin(text)
	if !s.on[Pattern] {
		return text
	}
	for _, re := range s.patterns {
		text = applyPattern(re, text)
	}
	return text
}

// finding is a secret at text[start:end], or what is passed over.
type finding struct {
	start, end int
	mark       string // empty: it stays as it is
	marked     bool   // it ends with a mark: of what is before it nothing counts any more
}

func (s *Scrubber) builtin(text string) string {
	var b strings.Builder
	done := 0  // up to where text is in b
	floor := 0 // from where on names are looked for
	for i := 0; i < len(text); i++ {
		switch s.trigger[text[i]] {
		case never:
			continue
		case wordStart:
			if i > 0 && isWord(text[i-1]) {
				continue
			}
		}
		f, ok := s.find(text, i, floor)
		if !ok {
			continue
		}
		if f.mark != "" {
			b.WriteString(text[done:f.start])
			b.WriteString(f.mark)
			done, floor = f.end, f.end
		}
		if f.marked {
			floor = f.end
		}
		i = f.end - 1
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// applyPattern takes out what re matches, marks left alone.
func applyPattern(re *regexp.Regexp, text string) string {
	var b strings.Builder
	done := 0
	for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
		start, end := m[0], m[1]
		if len(m) > 2 && m[2] >= 0 {
			start, end = m[2], m[3]
		}
		if start < done || start == end || overlapsMark(text, start, end) {
			continue
		}
		b.WriteString(text[done:start])
		b.WriteString(markOf(Pattern))
		done = end
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}
