package routing

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

//go:embed templates/*.tmpl templates/en/*.tmpl templates/zh/*.tmpl
var templates embed.FS

// Templates returns the templates of messages in a language, English or Chinese,
// by the names of the files in which Alertmanager looks for them, all of which
// end in .tmpl. Those of both languages may be in one folder.
//
// A message is bounded however many alerts it is about. Names in it are
// pm25.LANGUAGE.title (of one line), .email.text, .email.html, .slack, .teams,
// .wecom and .pagerduty. It tells times in the time zone that the route's label
// timezone names, and the owner's team that the label team names.
func Templates(language string) map[string]string {
	if language != Chinese {
		language = English
	}
	files := map[string]string{}
	for _, pattern := range []string{"templates/*.tmpl", "templates/" + language + "/*.tmpl"} {
		names, err := fs.Glob(templates, pattern)
		if err != nil {
			panic(err) // the pattern is well formed
		}
		for _, name := range names {
			data, err := templates.ReadFile(name)
			if err != nil {
				panic(err) // it is embedded
			}
			file := strings.ReplaceAll(strings.TrimPrefix(name, "templates/"), "/", "_")
			if path.Dir(name) != "templates" {
				file = "pm25_" + file
			}
			files[file] = string(data)
		}
	}
	return files
}
