package pages

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

const languageCookie = "pm25_lang"

// language says things in one language.
type language struct{ Code string }

var languages = []string{"en", "zh"}

// T returns a message. One that is not in the catalog is said as it is.
func (l language) T(key string, args ...any) string {
	text := key
	if m, ok := messages[key]; ok {
		text = m.en
		if l.Code == "zh" {
			text = m.zh
		}
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// units of a Duration, the largest first.
var units = []struct {
	of     time.Duration
	en, zh string
}{{24 * time.Hour, "d", "天"}, {time.Hour, "h", "小时"}, {time.Minute, "m", "分钟"}, {time.Second, "s", "秒"}}

// Duration writes a time in its two largest units, and minutes without seconds
// from ten on: more would only flicker.
func (l language) Duration(d time.Duration) string {
	d = max(d, 0).Truncate(time.Second)
	for i, u := range units {
		if d < u.of && u.of > time.Second {
			continue
		}
		text := l.amount(d, i)
		if rest := d % u.of; i+1 < len(units) && rest >= units[i+1].of && (u.of != time.Minute || d < 10*time.Minute) {
			if l.Code != "zh" {
				text += " "
			}
			text += l.amount(rest, i+1)
		}
		return text
	}
	return ""
}

func (l language) amount(d time.Duration, unit int) string {
	u := units[unit]
	if l.Code == "zh" {
		return fmt.Sprintf("%d%s", d/u.of, u.zh)
	}
	return fmt.Sprintf("%d%s", d/u.of, u.en)
}

// switchLink is the same page in the other language. What a form has sent is
// not sent again: its page is shown anew.
func (l language) switchLink(r *http.Request) string {
	q := r.URL.Query()
	q.Set("lang", "zh")
	if l.Code == "zh" {
		q.Set("lang", "en")
	}
	path := r.URL.Path
	if r.Method == http.MethodPost && !strings.HasPrefix(path, "/exceptions/") {
		path = "/silence"
	}
	// Only the path of this server: "//host" would be another one.
	return "/" + strings.TrimLeft(path, "/") + "?" + q.Encode()
}

// chooseLanguage goes by ?lang=, which is remembered, else by what was
// remembered, else by what the browser asks for.
func chooseLanguage(w http.ResponseWriter, r *http.Request) language {
	for _, code := range languages {
		if r.URL.Query().Get("lang") == code {
			// Set, not added: a page may ask more than once.
			cookie := http.Cookie{Name: languageCookie, Value: code, Path: "/", MaxAge: 365 * 24 * 3600, SameSite: http.SameSiteLaxMode, HttpOnly: true}
			w.Header().Set("Set-Cookie", cookie.String())
			return language{code}
		}
	}
	if c, err := r.Cookie(languageCookie); err == nil && (c.Value == "en" || c.Value == "zh") {
		return language{c.Value}
	}
	for part := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		tag, _, _ := strings.Cut(strings.TrimSpace(strings.ToLower(part)), ";")
		base, _, _ := strings.Cut(tag, "-")
		if base == "en" || base == "zh" {
			return language{base}
		}
	}
	return language{"en"}
}
