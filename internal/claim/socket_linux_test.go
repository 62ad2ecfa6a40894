package claim

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/pm25/pm25/internal/pm2/discovery"
)

func TestClaimIsFoundByAnyPathAndGoesWithItsHolder(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	home := filepath.Join(dir, "home")
	if err := errors.Join(os.Mkdir(home, 0o755), os.Symlink(dir, link)); err != nil {
		t.Fatal(err)
	}
	c := discovery.Candidate{Home: home}
	if _, _, err := Dial(t.Context(), c); err == nil {
		t.Fatal("dialed a claim that nobody made")
	}
	l, err := Listen(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(c); !errors.Is(err, ErrTaken) {
		t.Errorf("a second claim: %v", err)
	}
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, _ = io.WriteString(conn, "here")
			conn.Close()
		}
	}()
	conn, pid, err := Dial(t.Context(), discovery.Candidate{Home: home, Root: "/proc/self/root"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if said, _ := io.ReadAll(conn); string(said) != "here" || pid != os.Getpid() {
		t.Errorf("got %q of pid %d", said, pid)
	}
	l.Close()
	if _, _, err := Dial(t.Context(), c); err == nil {
		t.Error("the claim outlives its listener")
	}
}

// A stranger is another user than root, the home's owner and us.
func TestStrangersHaveNoClaim(t *testing.T) {
	if os.Getenv("CLAIM_STRANGER") != "" {
		l, err := Listen(discovery.Candidate{Home: os.Getenv("CLAIM_STRANGER")})
		if err != nil {
			t.Fatal(err)
		}
		os.Stdout.WriteString("listening\n")
		_, _ = io.Copy(io.Discard, os.Stdin)
		l.Close()
		return
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root to become another user")
	}
	home, err := os.MkdirTemp("", "claim")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(home)
	if err := os.Chmod(home, 0o755); err != nil {
		t.Fatal(err)
	}
	self, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(home, "stranger")
	if err := os.WriteFile(program, self, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestStrangersHaveNoClaim$")
	cmd.Dir = home
	cmd.Env = append(os.Environ(), "CLAIM_STRANGER="+home)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	in, _ := cmd.StdinPipe()
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); _ = cmd.Wait() }()
	if _, err := io.ReadFull(out, make([]byte, len("listening\n"))); err != nil {
		t.Fatal(err)
	}
	if _, pid, err := Dial(t.Context(), discovery.Candidate{Home: home}); err == nil {
		t.Errorf("believed pid %d of another user", pid)
	}
}
