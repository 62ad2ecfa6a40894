package datadir

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestDataDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	first, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(dir); err == nil || !strings.Contains(err.Error(), "in use by another pm25 (pid "+strconv.Itoa(os.Getpid())+")") {
		t.Errorf("a second one: %v", err)
	}
	first.Close()
	again, err := Open(dir)
	if err != nil {
		t.Fatalf("the same folder again: %v", err)
	}
	again.Close()
}

// TestDataDirRefused: nothing in such a folder is touched.
func TestDataDirRefused(t *testing.T) {
	for name, c := range map[string]struct{ file, content, want string }{
		"newer":   {"version", "pm25 data 2\n", "version:1: data folder DIR has version 2, this pm25 knows 1: run the pm25 that wrote it"},
		"garbled": {"version", "???\n", `version:1: "???" is no version of a data folder`},
		"foreign": {"wal", "", `data folder DIR holds wal and no file "version"`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, c.file), []byte(c.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir)
			if want := strings.ReplaceAll(c.want, "DIR", dir); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %s", err, want)
			}
			entries, _ := os.ReadDir(dir)
			if len(entries) != 1 {
				t.Errorf("the folder holds %v now", entries)
			}
		})
	}
}
