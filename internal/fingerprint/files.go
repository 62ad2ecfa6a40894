package fingerprint

import (
	"path"
	"regexp"
	"strings"
)

// normalFile is what stays of a file's name between builds, deploys and hosts:
// main.3f2a9c.js is main.js, and of a path outside of the app's folder only the
// last two parts count.
func normalFile(file string) string {
	if strings.HasPrefix(file, "node:") || file != "" && file[0] == '<' {
		return file
	}
	if at := strings.LastIndex(file, "node_modules/"); at >= 0 {
		return "node_modules/" + packagePath(file[at+len("node_modules/"):])
	}
	file, _, _ = strings.Cut(file, "?")
	outside := strings.HasPrefix(file, "/")
	parts := strings.Split(strings.Trim(file, "/"), "/")
	if outside {
		parts = parts[max(0, len(parts)-2):]
	}
	last := len(parts) - 1
	for i, p := range parts[:last] {
		if versioned(p) {
			parts[i] = "*"
		}
	}
	parts[last] = normalBase(parts[last])
	return strings.Join(parts, "/")
}

// packagePath is a file of an installed package; its version may be part of it.
func packagePath(file string) string {
	parts := strings.Split(file, "/")
	for i, p := range parts[:len(parts)-1] {
		if at := strings.LastIndexByte(p, '@'); at > 0 {
			parts[i] = p[:at]
		}
	}
	parts[len(parts)-1] = normalBase(parts[len(parts)-1])
	return strings.Join(parts, "/")
}

var (
	versionName = regexp.MustCompile(`^[A-Za-z]{0,12}[-_.@]?v?\d+(\.\d+){1,3}([-+.][0-9A-Za-z.-]+)?$`)
	versionPart = regexp.MustCompile(`[-_.@]v?\d+(\.\d+){1,3}(\.|$)`)
	dateName    = regexp.MustCompile(`^\d{4}[-_.]?\d{2}[-_.]?\d{2}([-_.T]?\d{2}[-_.:]?\d{2}([-_.:]?\d{2})?)?$`)
)

// versioned is true for a folder named for a version, a date, a number or a hash.
func versioned(part string) bool {
	return versionName.MatchString(part) || dateName.MatchString(part) || len(part) >= 4 && digits(part) || hashed(part)
}

// normalBase drops hashes, versions and numbers of chunks from a file's name.
func normalBase(base string) string {
	ext := path.Ext(base)
	stem := strings.TrimSuffix(base, ext)
	stem = versionPart.ReplaceAllString(stem, "$2")
	var kept []string
	for i, token := range strings.Split(stem, ".") {
		if digits(token) || hashed(token) {
			continue
		}
		if i > 0 || !strings.HasPrefix(token, "chunk-") {
			token = cutHash(token)
		} else if rest := strings.TrimPrefix(token, "chunk-"); len(rest) == 8 && strings.ToUpper(rest) == rest {
			token = "chunk" // esbuild's, in base32
		} else {
			token = cutHash(token)
		}
		kept = append(kept, token)
	}
	if len(kept) == 0 {
		return "*" + ext
	}
	return strings.Join(kept, ".") + ext
}

// cutHash cuts "-BfX3k_9Q" and "_4f3a2b1c" off the end of a name.
func cutHash(token string) string {
	// The hashes of Rollup are 8 characters of base64 for URLs: - and _ may be among them.
	if n := len(token); n > 9 && (token[n-9] == '-' || token[n-9] == '.') && mixed(token[n-8:]) {
		return token[:n-9]
	}
	if at := strings.LastIndexAny(token, "-_~"); at > 0 {
		if rest := token[at+1:]; hashed(rest) || len(rest) >= 6 && digits(rest) {
			return strings.TrimRight(token[:at], "-_~")
		}
	}
	return token
}

// hashed is true for hexadecimal digits that are no word.
func hashed(s string) bool {
	if len(s) < 6 || len(s) > 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return false
	}
	return strings.ContainsAny(s, "0123456789") && (strings.ContainsAny(s, "abcdef") || len(s) >= 8) || len(s) >= 20
}

// mixed is true for what looks like base64: digits among letters of both cases,
// or capitals as no word has them.
func mixed(s string) bool {
	var lower, upper, digit int
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z':
			lower++
		case c >= 'A' && c <= 'Z':
			upper++
		case c >= '0' && c <= '9':
			digit++
		case c == '-' || c == '_':
		default:
			return false
		}
	}
	return digit > 0 && upper > 0 || lower > 0 && upper >= 3
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }
