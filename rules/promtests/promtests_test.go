package promtests

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRead(t *testing.T) {
	folder := t.TempDir()
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, "a.yml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("tests:\n  - name: 'A fires ends: once'\n  - name: 'A fires: twice'\n  - name: 'B silent: a: b'\n")
	shown, err := Read(folder)
	want := Shown{"A": {"fires": {"once", "twice"}, "ends": {"once"}}, "B": {"silent": {"a: b"}}}
	if err != nil || !cmp.Equal(shown, want) {
		t.Error(cmp.Diff(want, shown), err)
	}
	for text, want := range map[string]string{
		"tests: [{name: A fires}]":       "A fires",
		"tests: [{interval: 5s}]":        `""`,
		"tests: [{name: 'A: it fires'}]": "A: it fires",
		"tests: {":                       "a.yml",
	} {
		write(text)
		if _, err := Read(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
