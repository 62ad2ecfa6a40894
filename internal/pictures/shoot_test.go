//go:build pictures || boards

package pictures

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

// shot is one picture; see tools/pictures/shoot.js.
type shot struct {
	URL      string `json:"url"`
	File     string `json:"file"`
	Width    int    `json:"width"`
	Height   int    `json:"height"`
	Scale    int    `json:"scale,omitempty"`
	Locale   string `json:"locale,omitempty"`
	Dark     bool   `json:"dark,omitempty"`
	Script   *bool  `json:"script,omitempty"`
	Whole    bool   `json:"whole,omitempty"`
	Wait     string `json:"wait,omitempty"`
	Patience int    `json:"patience,omitempty"` // milliseconds
	Settle   int    `json:"settle,omitempty"`   // milliseconds
}

func shoot(t *testing.T, shots ...shot) {
	t.Helper()
	for i := range shots {
		shots[i].File = filepath.Join(pm2test.Root(), "docs", "pictures", shots[i].File+".png")
	}
	browse(t, "shoot.js", shots)
}

// browse runs a script of tools/pictures on a list.
func browse(t *testing.T, script string, list any) {
	t.Helper()
	text, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", filepath.Join(pm2test.Root(), "tools", "pictures", script))
	cmd.Stdin = bytes.NewReader(text)
	out, err := cmd.CombinedOutput()
	if t.Logf("%s", out); err != nil {
		t.Errorf("%s: %v", script, err)
	}
}
