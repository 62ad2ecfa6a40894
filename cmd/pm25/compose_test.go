package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/routingfiles"
)

// TestComposeFiles: what docker-compose.yml mounts is what would be written now,
// by the flags that it gives itself.
func TestComposeFiles(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	if err := run([]string{"generate", "--check", "@deploy/compose/generate.flags", "deploy/compose/generated"}); err != nil {
		t.Errorf("%v: run make generate", err)
	}
}

// TestComposeTellsNobody: its files of receivers are read, and ask for no secret.
func TestComposeTellsNobody(t *testing.T) {
	dir := filepath.Join("..", "..", "deploy", "compose", "alerting")
	files, err := routingfiles.Read(routingfiles.Names{Receivers: filepath.Join(dir, "receivers.yml"), Owners: filepath.Join(dir, "owners.yml")})
	if err != nil {
		t.Fatal(err)
	}
	if len(files.Receivers.Receivers) != 0 || len(files.Owners) != 0 {
		t.Errorf("%+v", files)
	}
}

// TestComposeStaysInside: what is mounted names the stack's own programs and this
// machine only.
func TestComposeStaysInside(t *testing.T) {
	names := regexp.MustCompile(`https?://[^\s"'/:]+`)
	known := []string{"http://pm25", "http://prometheus", "http://alertmanager", "http://localhost"}
	root := filepath.Join("..", "..", "deploy", "compose", "generated")
	read := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		read++
		text, err := os.ReadFile(path)
		for _, found := range names.FindAllString(string(text), -1) {
			if !slices.Contains(known, found) && !strings.Contains(found, "{{") {
				t.Errorf("%s names %s", path, found)
			}
		}
		return err
	})
	if err != nil || read < 30 {
		t.Errorf("%d files, %v", read, err)
	}
}
