// Package runbooks holds the runbooks of the alerts, so that the links in
// messages work where there is no internet: one NAME.md for each alert, and
// zh/NAME.md, which says the same in Chinese.
package runbooks

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed *.md zh/*.md
var files embed.FS

// Names lists the runbooks, which are named after their alerts.
func Names() []string {
	found, err := fs.Glob(files, "*.md")
	if err != nil {
		panic(err) // the pattern is ours
	}
	for i, name := range found {
		found[i] = strings.TrimSuffix(name, ".md")
	}
	return found
}

// Text returns a runbook as Markdown in a language, "en" or "zh"; one that is
// there in English only is returned in English.
func Text(name, language string) ([]byte, bool) {
	if strings.ContainsAny(name, `/\`) {
		return nil, false
	}
	if language == "zh" {
		if text, err := files.ReadFile(path.Join("zh", name+".md")); err == nil {
			return text, true
		}
	}
	text, err := files.ReadFile(name + ".md")
	return text, err == nil
}

// Summary is the first sentence of a runbook, as plain text: what its alert means.
func Summary(name, language string) string {
	text, _ := Text(name, language)
	parts := strings.SplitN(strings.ReplaceAll(string(text), "`", ""), "\n\n", 3)
	if len(parts) < 2 {
		return ""
	}
	for _, end := range []string{". ", "。"} {
		if sentence, _, found := strings.Cut(parts[1], end); found {
			return sentence + strings.TrimSpace(end)
		}
	}
	return strings.TrimSpace(parts[1])
}
