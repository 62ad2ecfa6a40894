package procfs

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// helperEnv names what this binary does when a test runs it as a child.
const helperEnv = "PROCFS_TEST_HELPER"

func init() {
	// So that the main goroutine stays on the main thread, and others not.
	if os.Getenv(helperEnv) != "" {
		runtime.LockOSThread()
	}
}

func TestMain(m *testing.M) {
	name := os.Getenv(helperEnv)
	if name == "" {
		process.EnableBootTimeCache(true) // see portable
		os.Exit(m.Run())
	}
	if err := helpers[name](); err != nil {
		fmt.Println("helper", name+":", err)
		os.Exit(1)
	}
}

// helper returns the command for a child of this binary.
func helper(name string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helperEnv+"="+name, "BURN="+burn)
	return cmd
}

var stdin = bufio.NewReader(os.Stdin)

// await tells the test that we are there, and waits for its line.
func await(line string) {
	fmt.Println(line)
	if _, err := stdin.ReadString('\n'); err != nil {
		os.Exit(0)
	}
}

var helpers = map[string]func() error{
	// zombie leaves a child unreaped that has used CPU.
	"zombie": func() error {
		cmd := exec.Command("sh", "-c", burn)
		if err := cmd.Start(); err != nil {
			return err
		}
		name := filepath.Join("/proc", fmt.Sprint(cmd.Process.Pid), "stat")
		for {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			if strings.Contains(string(b), ") Z ") {
				break
			}
			time.Sleep(time.Millisecond)
		}
		await("up")
		_ = cmd.Wait()
		await("reaped")
		return nil
	},
	// ignore lets the kernel reap its children, whose time nobody gets.
	"ignore": func() error {
		signal.Ignore(syscall.SIGCHLD)
		for range 2 {
			cmd := exec.Command("sh", "-c", burn+"; read x")
			cmd.Stdin = os.Stdin
			if err := cmd.Start(); err != nil {
				return err
			}
			fmt.Println("up")
			_ = cmd.Wait()
			fmt.Println("gone")
		}
		await("done")
		return nil
	},
	// thread starts a child from a thread that is not the main one.
	"thread": func() error {
		errs := make(chan error)
		go func() {
			runtime.LockOSThread()
			cmd := exec.Command("sh", "-c", "sh -c 'echo up; read x; exit 0'; read x; exit 0")
			cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
			if err := cmd.Start(); err != nil {
				errs <- err
				return
			}
			errs <- cmd.Wait()
		}()
		return <-errs
	},
	"reuse":  reusePID,
	"nested": nested,
}

// ownNamespace gives a command process and mount namespaces of its own.
func ownNamespace(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("process namespaces need root")
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	return cmd
}

func mountOwnProc() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount proc: %w", err)
	}
	return nil
}

// reusePID makes a process with the number of one that was, in a namespace
// where nobody else takes it, and checks that they are not mixed up.
func reusePID() error {
	if err := mountOwnProc(); err != nil {
		return err
	}
	sleep := func() (*exec.Cmd, error) {
		cmd := exec.Command("sleep", "60")
		return cmd, cmd.Start()
	}
	first, err := sleep()
	if err != nil {
		return err
	}
	pid := first.Process.Pid
	s, err := newLinux(Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	old, err := s.Read(pid, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("/proc/%d/stat", pid)
	kept, err := os.Open(name)
	if err != nil {
		return err
	}
	defer kept.Close()
	time.Sleep(50 * time.Millisecond) // a later start time
	_ = first.Process.Kill()
	_ = first.Wait()
	var second *exec.Cmd
	for range 20 {
		if err := os.WriteFile("/proc/sys/kernel/ns_last_pid", fmt.Append(nil, pid-1), 0); err != nil {
			return err
		}
		if second, err = sleep(); err != nil {
			return err
		}
		if second.Process.Pid == pid {
			break
		}
	}
	if second.Process.Pid != pid {
		return fmt.Errorf("got number %d, want %d again", second.Process.Pid, pid)
	}
	if n, err := kept.ReadAt(make([]byte, 512), 0); n > 0 || !strings.Contains(fmt.Sprint(err), "no such process") {
		return fmt.Errorf("the kept stat gave %d bytes, %w", n, err)
	}
	if got, err := s.Read(pid, old.StartTime.Add(-time.Second), old.StartTime.Add(20*time.Millisecond)); !isGone(err) {
		return fmt.Errorf("in the window of the first: %+v, %w", got, err)
	}
	got, err := s.Read(pid, time.Time{}, time.Time{})
	if err != nil {
		return err
	}
	if got.StartTicks <= old.StartTicks {
		return fmt.Errorf("started at %d, the first at %d", got.StartTicks, old.StartTicks)
	}
	_ = second.Process.Kill()
	_ = second.Wait()
	await("ok")
	return nil
}

// nested has children in a process namespace of its own, as a container has,
// and says their numbers there.
func nested() error {
	if err := mountOwnProc(); err != nil {
		return err
	}
	for _, script := range []string{"read x; exit 0", "sh -c 'echo $$; read x; exit 0'; exit 0"} {
		cmd := exec.Command("sh", "-c", script)
		cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
		if err := cmd.Start(); err != nil {
			return err
		}
		fmt.Println(cmd.Process.Pid)
	}
	for {
		time.Sleep(time.Hour)
	}
}
