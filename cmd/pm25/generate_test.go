package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGenerate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	if err := run([]string{"generate", "--check", dir}); err == nil || !strings.Contains(err.Error(), "no such folder") {
		t.Errorf("of no folder: %v", err)
	}
	if err := run([]string{"generate", dir}); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"generate", "--check", dir}); err != nil {
		t.Error(err)
	}
	err := run([]string{"generate", "--check", "--server.url=https://pm25.example.com", dir})
	for _, name := range []string{"prometheus/prometheus.yml", "grafana/provisioning/datasources/pm25.yml"} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("with another server %s is stale: %v", name, err)
		}
	}
	bad := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(bad, []byte("langage: zh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run([]string{"generate", "--rules.config.file=" + bad, dir}); err == nil || !strings.Contains(err.Error(), "langage") {
		t.Errorf("a setting that there is not: %v", err)
	}
}
