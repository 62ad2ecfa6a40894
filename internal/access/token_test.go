package access

import (
	"os"
	"path/filepath"
	"testing"
)

// Where others may write, a link that they put there is not followed, and a file
// of theirs does not get the token.
func TestNewTokenFollowsNoLink(t *testing.T) {
	dir := t.TempDir()
	theirs, file := filepath.Join(dir, "theirs"), filepath.Join(dir, NotifyFile)
	if err := os.WriteFile(theirs, []byte("kept"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(theirs, file+".tmp"); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSharedNotify(file); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(theirs); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
	if info, err := os.Lstat(file); err != nil || info.Mode() != 0o640 {
		t.Errorf("%v, %v", info, err)
	}
	left, err := filepath.Glob(filepath.Join(dir, NotifyFile+".tmp?*"))
	if err != nil || len(left) != 0 {
		t.Errorf("%v, %v", left, err)
	}
}
