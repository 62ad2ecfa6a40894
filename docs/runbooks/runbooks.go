// Package runbooks serves the runbooks of the alerts, so that the links in
// messages work where there is no internet.
package runbooks

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed *.md
var files embed.FS

const policy = "default-src 'none'; style-src 'unsafe-inline'"

var page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{.Title}} · PM25</title>
<style>
:root { color-scheme: light dark }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem }
pre { white-space: pre-wrap; font: inherit }
</style>
</head>
<body>
<nav><a href="/">PM25</a> · <a href="/runbooks/">Runbooks</a></nav>
{{if .Names}}<h1>{{.Title}}</h1><ul>{{range .Names}}<li><a href="/runbooks/{{.}}">{{.}}</a></li>{{end}}</ul>
{{else}}<pre>{{.Text}}</pre>{{end}}
</body>
</html>
`

// Names lists the runbooks, one for each alert.
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

// Handler serves /runbooks/ and /runbooks/NAME.
func Handler() http.Handler {
	t := template.Must(template.New("page").Parse(page))
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, data any) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_ = t.Execute(w, data) // the reader is gone
	}
	type content struct {
		Title, Text string
		Names       []string
	}
	mux.HandleFunc("GET /runbooks/{$}", func(w http.ResponseWriter, _ *http.Request) {
		show(w, content{Title: "Runbooks", Names: Names()})
	})
	mux.HandleFunc("GET /runbooks/{name}", func(w http.ResponseWriter, r *http.Request) {
		text, err := files.ReadFile(r.PathValue("name") + ".md")
		if err != nil {
			http.Error(w, fmt.Sprintf("there is no runbook %q; /runbooks/ lists them", r.PathValue("name")), http.StatusNotFound)
			return
		}
		show(w, content{Title: r.PathValue("name"), Text: string(text)})
	})
	return mux
}
