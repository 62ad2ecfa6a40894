package robot

import (
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// apart is put between characters that would mean something together. It is not
// seen.
const apart = "\u200b"

// oneLine makes text valid UTF-8 in one line, without what is not seen: an app
// could hide words, or turn their direction.
func oneLine(text string) string {
	var b strings.Builder
	space := false
	for _, r := range strings.ToValidUTF8(text, "\uFFFD") {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			space = true
			continue
		case unicode.Is(unicode.Cf, r):
			continue
		}
		if space && b.Len() > 0 {
			b.WriteByte(' ')
		}
		space = false
		b.WriteRune(r)
	}
	return b.String()
}

// wide are characters of markup, and those that look like them and are none.
// DingTalk and WeCom know no way to escape that all of their clients follow.
var wide = strings.NewReplacer(
	"<", "＜", ">", "＞", "](", "]"+apart+"(", "][", "]"+apart+"[", "]:", "]"+apart+":", "![", "!"+apart+"[", "*", "＊", "`", "'", "~", "~"+apart, "#", "#"+apart,
	"@", "@"+apart, "://", ":"+apart+"//",
)

// escapeWide is for DingTalk and WeCom. Brackets stay where they are none of a
// link: they are common in what programs say.
func escapeWide(text string) string {
	text = wide.Replace(oneLine(text))
	if strings.HasPrefix(text, "(") || strings.HasPrefix(text, "[") { // a bracket may come before it
		text = apart + text
	}
	for strings.Contains(text, "__") { // of three in a row, two are left
		text = strings.ReplaceAll(text, "__", "_"+apart+"_")
	}
	// At the edge of a word an underscore begins italics; within one it is common.
	return strings.ReplaceAll(strings.ReplaceAll(text, " _", " "+apart+"_"+apart), "_ ", "_"+apart+" ")
}

// start keeps a text that begins a line from being an item of a list, a rule, or
// the underline of a heading.
func start(text string) string {
	rest := strings.TrimLeft(text, "0123456789")
	numbered := len(rest) < len(text) && strings.IndexAny(rest, ".)") == 0
	if numbered || text != "" && strings.IndexByte("-+=", text[0]) >= 0 {
		return apart + text
	}
	return text
}

// escapeEntities is for Feishu, whose cards read entities of HTML.
func escapeEntities(text string) string {
	var b strings.Builder
	for _, r := range strings.ReplaceAll(oneLine(text), "://", ":"+apart+"//") {
		if strings.ContainsRune("&<>*_~`[]#@|\\", r) {
			b.WriteString("&#" + strconv.Itoa(int(r)) + ";")
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// safeURL returns an address in which nothing ends a link of markdown, or "" for
// what is no address of the web.
func safeURL(address string) string {
	u, err := url.Parse(strings.TrimSpace(address))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || len(address) > maxURL {
		return ""
	}
	u.User = nil
	var b strings.Builder
	for _, c := range []byte(u.String()) {
		if c <= ' ' || c >= 0x7f || strings.IndexByte("()<>[]\"'`*|\\^{}", c) >= 0 {
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
			continue
		}
		b.WriteByte(c)
	}
	return b.String()
}

const maxURL = 2000

// cut shortens text to at most limit characters, the last of which says so.
func cut(text string, limit int) string {
	if utf8.RuneCountInString(text) <= limit {
		return text
	}
	n := 0
	for i := range text {
		if n++; n == limit {
			return text[:i] + "…"
		}
	}
	return text
}
