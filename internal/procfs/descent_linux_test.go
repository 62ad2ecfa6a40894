package procfs

import (
	"os"
	"os/exec"
	"testing"
)

func TestDescends(t *testing.T) {
	child := exec.Command("sh", "-c", "sleep 100 & echo $!; wait")
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = child.Process.Kill(); _ = child.Wait() }()
	var grandchild int
	b := make([]byte, 32)
	n, err := out.Read(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range b[:n-1] {
		grandchild = grandchild*10 + int(c-'0')
	}
	defer func() {
		if p, err := os.FindProcess(grandchild); err == nil {
			_ = p.Kill()
		}
	}()
	self, sh := os.Getpid(), child.Process.Pid
	for _, c := range []struct {
		pid, ancestor int
		want          bool
	}{
		{self, self, true},
		{sh, self, true},
		{grandchild, self, true},
		{grandchild, sh, true},
		{self, sh, false},
		{sh, grandchild, false},
		{self, 1, false},
		{self, 0, false},
		{0, 0, false},
		{1 << 22, self, false},
	} {
		if got := Descends("", c.pid, c.ancestor); got != c.want {
			t.Errorf("%d below %d: %v", c.pid, c.ancestor, got)
		}
	}
}
