package pages

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/pm25/pm25/internal/catalog"
)

func TestMessagesInBothLanguages(t *testing.T) {
	verb := regexp.MustCompile(`%(\[\d\])?[a-z]`)
	same := []string{"CPU", "ID"}
	for key, m := range messages {
		if m.en == "" || m.zh == "" {
			t.Errorf("%s: a language is missing", key)
		}
		en, zh := verb.FindAllString(m.en, -1), verb.FindAllString(m.zh, -1)
		slices.Sort(en)
		slices.Sort(zh)
		if !slices.Equal(en, zh) {
			t.Errorf("%s: %q and %q do not say the same", key, m.en, m.zh)
		}
		chinese := strings.ContainsFunc(m.zh, func(r rune) bool { return unicode.Is(unicode.Han, r) })
		if !chinese && key != "other" && !slices.Contains(same, m.zh) {
			t.Errorf("%s: %q is not Chinese", key, m.zh)
		}
		if strings.ContainsFunc(m.en, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && key != "other" {
			t.Errorf("%s: %q is not English", key, m.en)
		}
	}
}

// Every message that is used is there, and every one that is there is used.
func TestMessagesUsed(t *testing.T) {
	use := regexp.MustCompile(`\bT\(?\s*"([a-z.]+)"`)
	prefix := regexp.MustCompile(`T\("([a-z]+\.)"\s*\+`)
	notice := regexp.MustCompile(`Message: "([a-z.]+)"`)
	used, prefixes := map[string]bool{"notice.disk": true, "notice.failing": true, "notice.nobody": true}, []string{} // those are the server's
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, name := range files {
		if !strings.HasSuffix(name, "_test.go") {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, string(data))
		}
	}
	err = fs.WalkDir(templates, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(templates, path)
		texts = append(texts, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts {
		for _, m := range prefix.FindAllStringSubmatch(text, -1) {
			prefixes = append(prefixes, m[1])
		}
		for _, m := range append(use.FindAllStringSubmatch(text, -1), notice.FindAllStringSubmatch(text, -1)...) {
			used[m[1]] = true
		}
	}
	for key := range used {
		if _, ok := messages[key]; !ok && !slices.Contains(prefixes, key) {
			t.Errorf("message %q is used, but not in the catalog", key)
		}
	}
	for key := range messages {
		if !used[key] && !slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(key, p) }) {
			t.Errorf("message %q is used nowhere", key)
		}
	}
}

// Whatever the agent can say, the page has a word for it.
func TestMessagesForLabels(t *testing.T) {
	for kind, values := range map[string][]string{"state.": catalog.States(), "reason.": catalog.Reasons()} {
		for _, v := range values {
			if _, ok := messages[kind+v]; !ok {
				t.Errorf("no message %s%s", kind, v)
			}
		}
	}
}
