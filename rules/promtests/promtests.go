// Package promtests reads from promtool's tests what they show of each alert. The
// name of a test says it: "ALERT fires waits ends: how", "ALERT silent: what must
// not raise it". It runs nothing.
package promtests

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v2"
)

// Whats are the words of names: that an alert fires, that it waits for as long as
// it should, that it ends, and that it stays silent.
func Whats() []string { return []string{"fires", "waits", "ends", "silent"} }

// Shown holds by alert, and by word, the rest of the names.
type Shown map[string]map[string][]string

// Read reads all tests of a folder, in the order of their files.
func Read(folder string) (Shown, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yml"))
	if err != nil {
		return nil, err
	}
	shown := Shown{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var doc struct {
			Tests []struct {
				Name string `yaml:"name"`
			} `yaml:"tests"`
		}
		if err := yaml.Unmarshal(text, &doc); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, test := range doc.Tests {
			if err := shown.add(test.Name); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return shown, nil
}

func (s Shown) add(name string) error {
	head, rest, found := strings.Cut(name, ": ")
	words := strings.Fields(head)
	if !found || len(words) < 2 {
		return fmt.Errorf("the test's name %q is not \"ALERT fires waits ends silent: …\"", name)
	}
	if s[words[0]] == nil {
		s[words[0]] = map[string][]string{}
	}
	for _, what := range words[1:] {
		s[words[0]][what] = append(s[words[0]][what], rest)
	}
	return nil
}
