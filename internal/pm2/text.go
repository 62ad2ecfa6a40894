package pm2

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest label value made of a name that an app chose.
const maxName = 128

// maxRawName bounds how much of such a name is read at all.
const maxRawName = 16 << 10

// SafeName turns a name that an app or its owner chose into a label value:
// valid UTF-8 without control characters, at most 128 bytes. A name that had
// to be changed ends in "~" and a hash of the original, so that two names
// never become one.
func SafeName(raw []byte) string {
	clean := SafeText(raw, len(raw))
	if clean == string(raw) && len(clean) <= maxName {
		return clean
	}
	sum := sha256.Sum256(raw)
	suffix := "~" + hex.EncodeToString(sum[:4])
	return SafeText([]byte(clean), maxName-len(suffix)) + suffix
}

// SafeText returns at most limit bytes of raw as valid UTF-8 in which control
// characters are replaced.
func SafeText(raw []byte, limit int) string {
	text := raw
	if len(text) > limit {
		text = text[:limit]
		for len(text) > 0 && !utf8.RuneStart(raw[len(text)]) {
			text = text[:len(text)-1]
		}
	}
	if !utf8.Valid(text) {
		text = []byte(strings.ToValidUTF8(string(text), "\uFFFD"))
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, string(text))
}
