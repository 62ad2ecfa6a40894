package discovery

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pm25/pm25/internal/safefile"
)

func TestForgetByRootLeavesTheFileToTheAgent(t *testing.T) {
	needRoot(t)
	file := filepath.Join(t.TempDir(), "known.json")
	_, err := writeKnown(file, []entry{someEntry("a")})
	check(t, err)
	check(t, os.Chown(file, stranger, stranger))
	check(t, ForgetInFile(file, "a"))
	info, err := os.Stat(file)
	check(t, err)
	if uid, _ := safefile.UID(info); uid != stranger || info.Mode().Perm() != 0o600 {
		t.Errorf("uid %d, mode %v", uid, info.Mode())
	}
}
