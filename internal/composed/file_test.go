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

// flags are those of deploy/compose/generate.flags.
func flags(t *testing.T) (out []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(pm2test.Root(), "deploy", "compose", "generate.flags"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "--") {
			out = append(out, line)
		}
	}
	return out
}

// inPlaces puts the folders that containers see where places says.
func inPlaces(command []string, places map[string]string) []string {
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
		for seen, place := range places {
			if rest, ok := strings.CutPrefix(path, seen); ok && (rest == "" || rest[0] == '/') {
				path = place + rest
				break
			}
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
