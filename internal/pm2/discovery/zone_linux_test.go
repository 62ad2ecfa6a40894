package discovery

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestZone(t *testing.T) {
	shanghai, err := os.ReadFile("/usr/share/zoneinfo/Asia/Shanghai")
	if err != nil {
		t.Skip("no time zones here")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root's /etc/localtime is read")
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(environ []byte, want string) {
		t.Helper()
		got := "unknown"
		if zone := zoneOf(environ, root); zone != nil {
			got = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC).In(zone).Format("15:04")
		}
		if got != want {
			t.Errorf("with %q it is %s at noon in UTC, want %s", environ, got, want)
		}
	}
	check([]byte("A=b\x00"), "12:00") // without the file it is UTC
	if err := os.WriteFile(filepath.Join(root, "etc", "localtime"), shanghai, 0o644); err != nil {
		t.Fatal(err)
	}
	check([]byte("A=b\x00"), "20:00")
	check([]byte("NOTTZ=x\x00TZ=America/New_York\x00B=c"), "08:00")
	check([]byte("TZ=:Europe/Berlin\x00"), "14:00")
	check([]byte("TZ=\x00"), "12:00")
	check([]byte("TZ=../../etc/passwd\x00"), "unknown")
	check([]byte("TZ=UTC-8\x00"), "unknown")
	check(nil, "unknown")
	if zone := zoneOf([]byte("A=b\x00"), filepath.Join(root, "gone")); zone != nil {
		t.Errorf("of a process that is gone: %v", zone)
	}
	if err := os.WriteFile(filepath.Join(root, "etc", "localtime"), []byte("not a zone"), 0o644); err != nil {
		t.Fatal(err)
	}
	check([]byte("A=b\x00"), "unknown")
}
