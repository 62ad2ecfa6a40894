package peercred

import (
	"net"
	"os"
	"path/filepath"
	"testing"
)

func TestOf(t *testing.T) {
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if c, err := Of(conn); err != nil || c != (Cred{os.Getpid(), os.Geteuid(), os.Getegid()}) {
		t.Errorf("%+v, %v", c, err)
	}
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	if _, err := Of(ours); err == nil {
		t.Error("a pipe has a peer")
	}
}
