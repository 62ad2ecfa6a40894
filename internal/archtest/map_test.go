package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestMap holds that docs/architecture.md names each package. What stands below
// a package in a folder gen or record is its generator.
func TestMap(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root(t), "docs", "architecture.md"))
	if err != nil {
		t.Fatal(err)
	}
	for path := range listPackages(t) {
		name := strings.TrimPrefix(path, module+"/")
		if !strings.HasPrefix(path, module+"/") || strings.HasPrefix(name, "examples") || strings.HasPrefix(name, "tools") || slices.Contains([]string{"gen", "record"}, filepath.Base(name)) && name != "internal/record" {
			continue
		}
		if !strings.Contains(string(text), "`"+name+"`") {
			t.Errorf("docs/architecture.md does not say what %s does", name)
		}
	}
}
