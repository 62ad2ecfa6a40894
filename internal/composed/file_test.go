package composed

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v2"

	"github.com/pm25/pm25/internal/pm2test"
)

// services are the commands of docker-compose.yml by service, without anything
// in the environment.
func services(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pm2test.Root(), "docker-compose.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Services map[string]struct{ Command []string }
	}
	defaults := regexp.MustCompile(`\$\{[A-Z0-9_]+:-([^}]*)\}`)
	if err := yaml.Unmarshal(defaults.ReplaceAll(text, []byte("$1")), &file); err != nil {
		t.Fatal(err)
	}
	commands := map[string][]string{}
	for name, s := range file.Services {
		commands[name] = s.Command
	}
	return commands
}

// inFolder puts the folders of containers below dir, and what the compose file
// mounts of this repository in its place.
func inFolder(command []string, dir string, folders ...string) []string {
	generated := filepath.Join(pm2test.Root(), "deploy", "compose", "generated")
	var out []string
	for _, arg := range command {
		name, value, hasValue := strings.Cut(arg, "=")
		if !hasValue {
			name, value = "", arg
		}
		before, path, named := strings.Cut(value, "=") // --pm2.home=NAME=PATH
		if !named {
			before, path = "", value
		}
		for _, f := range folders {
			if path == f || strings.HasPrefix(path, f+"/") {
				path = dir + path
			}
		}
		if rest, ok := strings.CutPrefix(path, "/etc/"); ok {
			path = filepath.Join(generated, rest)
		}
		if named {
			path = before + "=" + path
		}
		if hasValue {
			path = name + "=" + path
		}
		out = append(out, path)
	}
	return out
}
