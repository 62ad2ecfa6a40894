package discovery

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-kit/log"
	"golang.org/x/sys/unix"
)

// The test binary run again is a process of its own: a listener that looks like PM2
// or does not, or an agent of another user.
const helperEnv = "DISCOVERY_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "listen":
		helperListen()
	case "dial":
		helperDial()
	case "find":
		helperFind()
	default:
		os.Exit(m.Run())
	}
}

// helperListen listens on the sockets in $NAMES of $DIR and answers each line of its
// input with the connections and bytes that came so far.
func helperListen() {
	dir := os.Getenv("DIR")
	if os.Getenv("PRIVATE") != "" {
		// A mount namespace of our own, in which /tmp and the host name differ.
		must(unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		name := filepath.Join(os.TempDir(), fmt.Sprint("hostname.", os.Getpid()))
		must(os.WriteFile(name, []byte(os.Getenv("PRIVATE")+"\n"), 0o644))
		must(unix.Mount(name, "/etc/hostname", "", unix.MS_BIND, ""))
		must(os.Remove(name))
		must(unix.Mount("none", os.Getenv("OVER"), "tmpfs", 0, ""))
		must(os.MkdirAll(dir, 0o755))
	}
	var conns, bytes atomic.Int64
	for name := range strings.FieldsSeq(os.Getenv("NAMES")) {
		must(os.Chdir(dir)) // for paths longer than a socket address
		l, err := net.Listen("unix", name)
		if abs := filepath.Join(dir, name); len(abs) < 108 {
			if err == nil {
				l.Close()
			}
			l, err = net.Listen("unix", abs)
		}
		must(err)
		must(os.Chmod(name, 0o775))
		go func() {
			for {
				c, err := l.Accept()
				must(err)
				conns.Add(1)
				go func() {
					n, _ := io.Copy(io.Discard, c)
					bytes.Add(n)
				}()
			}
		}()
	}
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		time.Sleep(50 * time.Millisecond) // for what is on its way
		fmt.Println(conns.Load(), bytes.Load())
	}
	os.Exit(0)
}

func helperDial() {
	c := Candidate{Home: os.Getenv("DIR"), OwnerUID: -1}
	rpc, pub, _, err := Dial(context.Background(), c, Policy{})
	if err == nil {
		rpc.Close()
		pub.Close()
	}
	_, insp := inspect(c, Policy{})
	fmt.Printf("%v\n%v\n%v\n", errors.Is(err, ErrRefused), err, errors.Is(insp, ErrRefused))
}

func helperFind() {
	f, err := New(Options{ProcRoot: os.Getenv("DIR"), Now: time.Now, Logger: log.NewNopLogger(), Getenv: func(string) string { return "" }})
	must(err)
	list, err := f.Find(context.Background())
	must(err)
	for _, c := range list {
		fmt.Println(c.Label, c.Listening, errors.Is(c.Refused, ErrRefused), c.Refused)
	}
}

// runAs runs a helper as another user and returns what it said.
func runAs(t *testing.T, uid uint32, helper string, env ...string) string {
	t.Helper()
	cmd := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{"agent"}, Env: append(env, helperEnv+"="+helper),
		SysProcAttr: &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid, NoSetGroups: true}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// fake is a running listener.
type fake struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Scanner
}

type fakeOptions struct {
	names   string // default: both sockets
	uid     int
	env     []string
	private string // host name; gives it namespaces of its own
	net     bool   // with private: a network namespace as well
	over    string // with private: what is hidden by its own; default /mnt
}

// startFake runs a listener in dir whose command line is title.
func startFake(t *testing.T, dir, title string, o fakeOptions) *fake {
	t.Helper()
	if o.names == "" {
		o.names = pubSock + " " + rpcSock
	}
	if o.over == "" {
		o.over = "/mnt"
	}
	cmd := &exec.Cmd{
		// The binary's folder is closed to other users; this way leads past it.
		Path:   "/proc/self/exe",
		Args:   strings.Split(title, "\x00"),
		Env:    append([]string{helperEnv + "=listen", "DIR=" + dir, "NAMES=" + o.names, "PRIVATE=" + o.private, "OVER=" + o.over}, o.env...),
		Stderr: os.Stderr,
		// Ends with the test whatever happens.
		SysProcAttr: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	}
	if o.uid != 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.uid), NoSetGroups: true}
	}
	if o.private != "" {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS
		if o.net {
			cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNET
		}
	}
	in, err := cmd.StdinPipe()
	check(t, err)
	out, err := cmd.StdoutPipe()
	check(t, err)
	if err := cmd.Start(); err != nil {
		if errors.Is(err, syscall.EPERM) {
			t.Skipf("not permitted here: %v", err)
		}
		t.Fatal(err)
	}
	f := &fake{cmd: cmd, in: in, out: bufio.NewScanner(out)}
	t.Cleanup(f.stop)
	if !f.out.Scan() || f.out.Text() != "ready" {
		t.Fatalf("listener said %q", f.out.Text())
	}
	return f
}

func (f *fake) pid() int { return f.cmd.Process.Pid }

// counts are the connections and bytes that the listener got.
func (f *fake) counts(t *testing.T) (conns, bytes int) {
	t.Helper()
	fmt.Fprintln(f.in, "count")
	if !f.out.Scan() {
		t.Fatal("the listener is gone")
	}
	a, b, _ := strings.Cut(f.out.Text(), " ")
	conns, _ = strconv.Atoi(a)
	bytes, _ = strconv.Atoi(b)
	return conns, bytes
}

func (f *fake) stop() {
	f.cmd.Process.Kill()
	f.cmd.Wait()
}

// newHome is a folder that other users may enter, short enough for a socket.
func newHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "disc")
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	home := filepath.Join(dir, ".pm2")
	check(t, os.Mkdir(home, 0o755))
	check(t, os.Chmod(dir, 0o755))
	return home
}

func god(home string) string { return "PM2 v7.0.4: God Daemon (" + home + ")" }

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be two users")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
