package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBucketOnce: where there is a token nobody is asked for another, which
// would be in vain, for no server runs here.
func TestBucketOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "agent.token")
	args := []string{"bucket", "create", "shop", "--once", "--server.url=http://127.0.0.1:1", "--token-file=" + file}
	if err := os.WriteFile(file, []byte("token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := run(append(args, "--out="+file)); err != nil {
		t.Error(err)
	}
	if err := run(append(args, "--out="+file+".new")); err == nil {
		t.Error("there is no token, and no server to make one")
	}
	if err := run(args); err == nil || !strings.Contains(err.Error(), "--out") {
		t.Errorf("without a file: %v", err)
	}
}
