package scrub

import "strings"

// number looks at the run of digits that begins at text[i], and passes it over
// where it is nothing: line numbers, times and ids stay.
func (s *Scrubber) number(text string, i int) (finding, bool) {
	n := runOf(text[i:], isDigit)
	end := i + n
	pass := finding{start: i, end: end}
	if i > 0 && !startsNumber(text, i) {
		return pass, true
	}
	digits := text[i:end]
	if s.on[IDCard] && n == 17 && end < len(text) && text[end]|0x20 == 'x' && endsNumber(text, end+1) && identity(text[i:end+1]) {
		return finding{start: i, end: end + 1, mark: markOf(IDCard)}, true
	}
	if (n == 3 || n == 4) && end < len(text) && (text[end] == ' ' || text[end] == '-') {
		if f, ok := s.grouped(text, i, text[end]); ok {
			return f, true
		}
	}
	if !endsNumber(text, end) {
		return pass, true
	}
	switch {
	case s.on[IDCard] && n == 18 && identity(digits):
		return finding{start: i, end: end, mark: markOf(IDCard)}, true
	case s.on[Phone] && (n == 11 && mobile(digits) || n == 13 && digits[:2] == "86" && mobile(digits[2:])):
		return finding{start: i, end: end, mark: markOf(Phone)}, true
	case s.on[Card] && card(digits):
		return finding{start: i, end: end, mark: markOf(Card)}, true
	}
	return pass, true
}

// startsNumber is false within words, fractions, UUIDs and dates.
func startsNumber(text string, i int) bool {
	switch c := text[i-1]; {
	case isWord(c) || c == '.':
		return false
	case strings.HasSuffix(text[:i], "86-"):
		return true // a country
	case c == '-' && i > 1:
		return !isWord(text[i-2]) && text[i-2] != ']'
	}
	return true
}

func endsNumber(text string, end int) bool {
	if end == len(text) {
		return true
	}
	c := text[end]
	if (c == '.' || c == '-') && end+1 < len(text) {
		return !isWord(text[end+1])
	}
	return !isWord(c)
}

// grouped is a card or phone number whose digits stand in groups.
func (s *Scrubber) grouped(text string, i int, separator byte) (finding, bool) {
	var digits [20]byte
	var groups [6]int
	n, g, at := 0, 0, i
	for g < len(groups) {
		m := runOf(text[at:], isDigit)
		if m == 0 || n+m > len(digits) {
			break
		}
		n += copy(digits[n:], text[at:at+m])
		groups[g] = m
		g++
		at += m
		for _, form := range []struct {
			class Class
			sizes [5]int
		}{
			{Card, [5]int{4, 4, 4, 4, 3}},
			{Card, [5]int{4, 4, 4, 4}},
			{Card, [5]int{4, 6, 5}},
			{Phone, [5]int{3, 4, 4}},
		} {
			ok := [5]int(groups[:5]) == form.sizes && endsNumber(text, at) && s.on[form.class]
			if ok && (form.class == Card && card(string(digits[:n])) || form.class == Phone && mobile(string(digits[:n]))) {
				return finding{start: i, end: at, mark: markOf(form.class)}, true
			}
		}
		if at+1 >= len(text) || text[at] != separator {
			break
		}
		at++
	}
	return finding{}, false
}

// international is a number such as +86 138 0013 8000 or +14155552671.
func (s *Scrubber) international(text string, i int) (finding, bool) {
	if !s.on[Phone] || i > 0 && (isWord(text[i-1]) || strings.IndexByte("+.)]", text[i-1]) >= 0) {
		return finding{}, false
	}
	n, end := 0, i+1
	for at := i + 1; ; {
		m := runOf(text[at:], isDigit)
		if m == 0 || n+m > 15 || n == 0 && text[at] == '0' { // no country begins with 0
			break
		}
		n += m
		at += m
		end = at
		separators := runOf(text[at:], func(c byte) bool { return c == ' ' || c == '-' || c == '(' || c == ')' })
		if separators == 0 || separators > 2 || complete(text[i+1:end], n) {
			break
		}
		at += separators
	}
	if n < 8 || !endsNumber(text, end) {
		return finding{}, false
	}
	return finding{start: i, end: end, mark: markOf(Phone)}, true
}

// complete says that no more groups belong to a number of n digits.
func complete(number string, n int) bool {
	return strings.HasPrefix(number, "86") && n >= 13 || strings.HasPrefix(number, "1") && n >= 11
}

func mobile(d string) bool { return len(d) == 11 && d[0] == '1' && d[1] >= '3' }

// card is true for numbers that an issuer could have given out, with a right
// check digit. Times in milli-, micro- and nanoseconds begin with 1: none does.
func card(d string) bool {
	n := len(d)
	if n < 14 || n > 19 {
		return false
	}
	switch two := d[:2]; {
	case d[0] == '4':
		if n != 16 && n != 19 {
			return false
		}
	case two >= "51" && two <= "55", d[:4] >= "2221" && d[:4] <= "2720":
		if n != 16 {
			return false
		}
	case two == "34" || two == "37":
		if n != 15 {
			return false
		}
	case two == "30" || two == "36" || two == "38": // 14 and more
	case two == "35" || two == "60" || two == "62" || two == "64" || two == "65":
		if n < 16 {
			return false
		}
	default:
		return false
	}
	return luhn(d)
}

func luhn(d string) bool {
	sum := 0
	for i := range len(d) {
		v := int(d[len(d)-1-i] - '0')
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0
}

// identity is true for the 18 characters of a Chinese identity card: place,
// date of birth, number and check digit.
func identity(d string) bool {
	province, century, month, day := d[:2], d[6:8], d[10:12], d[12:14]
	if province < "11" || province > "83" || century < "18" || century > "20" || month < "01" || month > "12" || day < "01" || day > "31" {
		return false
	}
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(d[i]-'0') * w
	}
	last := d[17]
	if last == 'x' {
		last = 'X'
	}
	return "10X98765432"[sum%11] == last
}
