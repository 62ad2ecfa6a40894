package composed

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/alertmanager"
	"github.com/pm25/pm25/internal/notify/robot"
	"github.com/pm25/pm25/internal/notify/robottest"
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
// the server, scrapes all that runs, and reads the rules; what fires is told to a
// chat robot, by Alertmanager and the server, which shares its token.
func TestStack(t *testing.T) {
	programs := os.Getenv(programsEnv)
	if programs == "" {
		promtest.Binary(t, "3")
		builder.Program(t, "pm25")
		alone(t, filepath.Dir(builder.Program(t, "pm25-agent")))
		return
	}
	names(t)
	dir, ding := t.TempDir(), robottest.New(robot.DingTalk, robotSecret, time.Now)
	places := folders(t, dir, ding)
	commands := services(t)
	for name, command := range commands {
		commands[name] = inPlaces(command, places)
	}
	pm2test.New(t, pm2test.Options{Home: filepath.Join(dir, "pm2")}).App(t, pm2test.AppSpec{Name: "web"})

	pm25, agent := filepath.Join(programs, "pm25"), filepath.Join(programs, "pm25-agent")
	once(t, pm25, slices.Concat([]string{"generate"}, inPlaces(flags(t), places), []string{filepath.Join(dir, "generated")}))
	run(t, pm25, commands["pm25"])
	healthy(t, pm25)
	for range 2 { // each `docker compose up` runs it
		once(t, pm25, commands["token"])
	}
	run(t, agent, commands["agent"])
	healthy(t, agent)
	serveAlertmanager(t, commands["alertmanager"])
	run(t, promtest.Binary(t, "3"), commands["prometheus"])

	api := promtest.API{URL: "http://prometheus:9090", Client: &http.Client{Timeout: 10 * time.Second}}
	pm2test.Eventually(t, 60*time.Second, func() error { return scraped(t.Context(), api) })
	pm2test.Eventually(t, 60*time.Second, func() error { return told(ding) })
}

const robotSecret = "SEC-of-the-robot"

// folders makes the folders of containers, with a robot that is told of the alert
// that always fires, and says where they are.
func folders(t *testing.T, dir string, ding *robottest.Robot) map[string]string {
	t.Helper()
	compose := filepath.Join(pm2test.Root(), "deploy", "compose")
	places := map[string]string{
		"/pm2": filepath.Join(dir, "pm2"), "/etc/prometheus": filepath.Join(compose, "generated", "prometheus"),
		"/etc/alertmanager": filepath.Join(dir, "generated", "alertmanager"), "/etc/pm25/alerting": filepath.Join(dir, "alerting"),
		"deploy/compose/alerting": filepath.Join(dir, "alerting"), "deploy/compose/rules.yml": filepath.Join(compose, "rules.yml"),
	}
	for _, name := range []string{"data", "state", "token", "notify", "prometheus", "alertmanager", "alerting"} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if name != "alerting" {
			places["/"+name] = filepath.Join(dir, name)
		}
	}
	web := httptest.NewServer(ding)
	t.Cleanup(web.Close)
	for name, text := range map[string]string{
		"receivers.yml": "default: [ding]\nwatchdog: ding\nreceivers:\n  ding: {dingtalk: {url_file: ding.url, secret_file: ding.secret}}\n",
		"owners.yml":    "", "ding.url": ding.URL(web.URL), "ding.secret": robotSecret,
	} {
		if err := os.WriteFile(filepath.Join(dir, "alerting", name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return places
}

// serveAlertmanager is the Alertmanager of `pm25 up` with the configuration of the
// compose file: the program's own module lacks its pages, and does not build.
func serveAlertmanager(t *testing.T, command []string) {
	t.Helper()
	var file, dir string
	for _, arg := range command {
		switch name, value, _ := strings.Cut(arg, "="); name {
		case "--config.file":
			file = value
		case "--storage.path":
			dir = value
		}
	}
	conf, err := alertmanager.LoadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	registry := prometheus.NewRegistry()
	server, err := alertmanager.New(alertmanager.Options{
		Dir: dir, ExternalURL: &url.URL{Scheme: "http", Host: "localhost:9093"}, Registry: registry, Logger: slog.New(slog.DiscardHandler), Now: time.Now,
	}, conf)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "alertmanager:9093")
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Handler())
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	web := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = web.Serve(listener) }() // ends with Close
	t.Cleanup(func() {
		_ = web.Close()
		_ = server.Close(context.Background())
	})
}

// told is nil once the robot has the alert that always fires.
func told(ding *robottest.Robot) error {
	for _, m := range ding.Taken() {
		if strings.Contains(m.Text, "PM25Watchdog") {
			return nil
		}
	}
	return fmt.Errorf("%d messages, none of the watchdog", len(ding.Taken()))
}

// scraped is nil once Prometheus has seen everything.
func scraped(ctx context.Context, api promtest.API) error {
	for _, expr := range []string{
		`up{job="pm2", host="compose", bucket="compose", instance="agent:9209"} == 1`,
		`up{job="pm25"} == 1`,
		`up{job="prometheus"} == 1`,
		`up{job="alertmanager"} == 1`,
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
