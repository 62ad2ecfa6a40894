package composed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/promtest"
)

// programsEnv names, in the process with a network of its own, the folder of
// the programs.
const programsEnv = "PM25_TEST_PROGRAMS"

var builder proctest.Builder

func TestMain(m *testing.M) { builder.Main(m) }

// TestStack: the agent gets its token and pushes, Prometheus finds it through
// the server, scrapes all that runs, and reads the rules.
func TestStack(t *testing.T) {
	programs := os.Getenv(programsEnv)
	if programs == "" {
		promtest.Binary(t, "3")
		builder.Program(t, "pm25")
		alone(t, filepath.Dir(builder.Program(t, "pm25-agent")))
		return
	}
	names(t)
	dir := t.TempDir()
	for _, name := range []string{"data", "state", "token", "prometheus"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	commands := services(t)
	for name, command := range commands {
		commands[name] = inFolder(command, dir, "/pm2", "/data", "/state", "/token", "/prometheus")
	}
	pm2test.New(t, pm2test.Options{Home: filepath.Join(dir, "pm2")}).App(t, pm2test.AppSpec{Name: "web"})

	pm25, agent := filepath.Join(programs, "pm25"), filepath.Join(programs, "pm25-agent")
	run(t, pm25, commands["pm25"])
	healthy(t, pm25)
	for range 2 { // each `docker compose up` runs it
		once(t, pm25, commands["token"])
	}
	run(t, agent, commands["agent"])
	healthy(t, agent)
	run(t, promtest.Binary(t, "3"), commands["prometheus"])

	api := promtest.API{URL: "http://prometheus:9090", Client: &http.Client{Timeout: 10 * time.Second}}
	pm2test.Eventually(t, 60*time.Second, func() error { return scraped(t.Context(), api) })
}

// scraped is nil once Prometheus has seen everything.
func scraped(ctx context.Context, api promtest.API) error {
	for _, expr := range []string{
		`up{job="pm2", host="compose", bucket="compose", instance="agent:9209"} == 1`,
		`up{job="pm25"} == 1`,
		`up{job="prometheus"} == 1`,
		`pm2_process_state{app="web", state="online", daemon="apps", host="compose"} == 1`,
		`prometheus_rule_group_rules > 0`,
		`pm25_agent_ship_receipts_total > 0`,
	} {
		series, err := api.Query(ctx, expr, time.Now())
		if err != nil {
			return err
		}
		if len(series) == 0 {
			return fmt.Errorf("%s: nothing", expr)
		}
	}
	return nil
}

// alone runs this test again in a process that has mounts and a network of its
// own.
func alone(t *testing.T, programs string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), programsEnv+"="+programs)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) || strings.Contains(string(out), "operation not permitted") {
		t.Skipf("skipped: it needs namespaces of its own: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// names gives the services of the compose file their names on loopback.
func names(t *testing.T) {
	t.Helper()
	hosts := filepath.Join(t.TempDir(), "hosts")
	if err := os.WriteFile(hosts, []byte("127.0.0.1 localhost pm25 agent prometheus alertmanager grafana\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount(hosts, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		t.Fatal(err)
	}
	lo.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, lo); err != nil {
		t.Fatal(err)
	}
}

// run starts a program, which ends with the test.
func run(t *testing.T, program string, args []string) {
	t.Helper()
	var log strings.Builder
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &log, &log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err := cmd.Wait()
		if t.Failed() {
			text := log.String()
			t.Logf("%s: %v\n%s", filepath.Base(program), err, text[max(0, len(text)-3000):])
		}
	})
}

func once(t *testing.T, program string, args []string) {
	t.Helper()
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", program, strings.Join(args, " "), err, out)
	}
}

// healthy waits until a program's own health check is content.
func healthy(t *testing.T, program string) {
	t.Helper()
	pm2test.Eventually(t, 20*time.Second, func() error {
		if out, err := exec.CommandContext(t.Context(), program, "health").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		return nil
	})
}
