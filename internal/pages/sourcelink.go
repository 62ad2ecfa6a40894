package pages

import (
	"fmt"
	"net/url"
	slashpath "path"
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

// placeholders of --source-url.
var placeholders = []string{"app", "pm2_namespace", "version", "revision", "file", "line"}

// CheckSourceURL tells what is wrong with a template such as
// https://git.example.com/{app}/blob/{revision}/{file}#L{line}.
func CheckSourceURL(template string) error {
	if template == "" {
		return nil
	}
	rest := template
	for _, name := range placeholders {
		rest = strings.ReplaceAll(rest, "{"+name+"}", "x")
	}
	u, err := url.Parse(rest)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.ContainsAny(rest, "{}") || !strings.Contains(template, "{file}") {
		return fmt.Errorf("--source-url=%s: it has to look like https://git.example.com/{app}/blob/{revision}/{file}#L{line}; there are {%s}", template, strings.Join(placeholders, "}, {"))
	}
	return nil
}

// sourceLink leads to a line of an app's source; empty where the template needs
// what is not known. Whatever apps put into names stays in its place.
func sourceLink(template string, r *record.Record, f record.Frame) string {
	file := slashpath.Clean("/" + f.File)[1:]
	if template == "" || file == "" || strings.Contains(f.File, "://") {
		return ""
	}
	values := map[string]string{
		"app": r.App, "pm2_namespace": r.Namespace, "version": r.Version, "revision": r.Revision, "file": file, "line": strconv.Itoa(f.Line),
	}
	pairs := make([]string, 0, 2*len(values))
	for name, value := range values {
		if !strings.Contains(template, "{"+name+"}") {
			continue
		}
		if value == "" || value == "." || value == ".." {
			return ""
		}
		escaped := url.PathEscape(value)
		if name == "file" {
			escaped = strings.ReplaceAll(escaped, "%2F", "/")
		}
		pairs = append(pairs, "{"+name+"}", escaped)
	}
	return strings.NewReplacer(pairs...).Replace(template)
}
