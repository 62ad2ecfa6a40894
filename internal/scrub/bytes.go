package scrub

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isWord is true for what words and names are made of; not for other scripts,
// which have no spaces around a number.
func isWord(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }

func isBase64URL(c byte) bool { return isWord(c) || c == '-' }

// isToken is true for the characters of a bearer token.
func isToken(c byte) bool {
	return isWord(c) || c == '-' || c == '.' || c == '~' || c == '+' || c == '/' || c == '='
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' }

// runOf is the length of the run at the beginning of s of which ok is true.
func runOf(s string, ok func(byte) bool) int {
	for i := range len(s) {
		if !ok(s[i]) {
			return i
		}
	}
	return len(s)
}

func hasDigit(s string) bool {
	for i := range len(s) {
		if isDigit(s[i]) {
			return true
		}
	}
	return false
}

// foldPrefix says whether s begins with prefix, which is in lower case.
func foldPrefix(s, prefix string) bool {
	if len(s) < len(prefix) {
		return false
	}
	for i := range len(prefix) {
		c := s[i]
		if c >= 'A' && c <= 'Z' {
			c |= 0x20
		}
		if c != prefix[i] {
			return false
		}
	}
	return true
}
