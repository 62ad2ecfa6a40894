package pm2test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestHarness(t *testing.T) {
	for _, v := range Versions() {
		t.Run("pm2-"+v, func(t *testing.T) {
			if asked := os.Getenv("PM25_TEST_PM2"); asked != "" && asked != v {
				t.Skip("another version was asked for")
			}
			// The newest must be there under CI; the others are for make pm2-all.
			if _, err := Script(v); err != nil && v != Versions()[0] {
				t.Skip(err)
			}
			testHarness(t, v)
		})
	}
}

// testHarness starts an app in each mode, has PM2 confirm them, lets them die in
// different ways and checks that nothing is left of anything.
func testHarness(t *testing.T, version string) {
	ctx := context.Background()
	d := New(t, Options{Version: version, Env: []string{"HARNESS=yes"}})
	if d.PID() == 0 || !Alive(d.PID()) {
		t.Fatalf("daemon pid %d", d.PID())
	}
	d.App(t,
		AppSpec{Name: "one", Env: map[string]string{"PORT": "0"}},
		AppSpec{Name: "two", Cluster: 2, Namespace: "ns"},
		AppSpec{Name: "once", Do: []Cmd{{"do": "exit", "code": 3, "after": 50}}, Extra: map[string]any{"autorestart": false}},
		AppSpec{Name: "stubborn", Do: []Cmd{{"do": "ignore"}}})
	one := d.WaitStatus(t, "one", "online", 1)[0]
	two := d.WaitStatus(t, "two", "online", 2)
	once := d.WaitStatus(t, "once", "stopped", 1)[0]
	if one.ExecMode != "fork_mode" || two[1].ExecMode != "cluster_mode" || two[0].Namespace != "ns" || once.ExitCode != 3 {
		t.Fatalf("PM2 says %+v %+v %+v", one, two, once)
	}

	// Each process answers for itself, also the workers of one cluster.
	for _, p := range append(two, one) {
		if got := d.Tell(t, p.PMID, Cmd{"do": "info"})["pid"]; got != float64(p.PID) {
			t.Errorf("app %d says that its pid is %v, PM2 %d", p.PMID, got, p.PID)
		}
	}
	child := int(d.Tell(t, one.PMID, Cmd{"do": "spawn", "detached": true})["pids"].([]any)[0].(float64))

	// A throw ends the process and PM2 starts it again.
	d.Tell(t, two[0].PMID, Cmd{"do": "throw"})
	Eventually(t, 15*time.Second, func() error {
		ps, err := d.Find(ctx, "two")
		if err == nil && ps[0].Restarts != 1 {
			err = fmt.Errorf("restarts %d", ps[0].Restarts)
		}
		return err
	})

	pids := Processes(d.Home())
	if len(pids) < 6 { // daemon, one, its child, two workers, stubborn
		t.Errorf("knows only %s", describe(pids))
	}
	if err := d.Kill(ctx); err != nil {
		t.Fatal(err)
	}
	for _, pid := range append(pids, child) {
		if Alive(pid) {
			t.Errorf("left running: %s", describe([]int{pid}))
		}
	}
	if _, err := os.Stat(d.Home()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("home is still there: %v", err)
	}
}

func TestResurrectAfterKill9(t *testing.T) {
	d := New(t, Options{})
	d.App(t, AppSpec{Name: "a"})
	d.Must(t, "save")
	before := d.PID()
	d.KillDaemon9()
	if d.PID() != 0 {
		t.Fatal("the daemon survived")
	}
	if _, err := os.Stat(d.RPCSocket()); err != nil {
		t.Fatalf("the stale socket should be there: %v", err)
	}
	if err := d.Resurrect(context.Background()); err != nil {
		t.Fatal(err)
	}
	d.WaitStatus(t, "a", "online", 1)
	if d.PID() == before {
		t.Fatal("same pid")
	}
}

// A home whose lock nobody holds is what a killed test leaves behind.
func TestSweep(t *testing.T) {
	d := New(t, Options{})
	d.App(t, AppSpec{Name: "a"})
	pids := Processes(d.Home())
	sweepHomes()
	if d.PID() == 0 {
		t.Fatal("swept while in use")
	}
	syscall.Flock(int(d.temp.lock.Fd()), syscall.LOCK_UN)
	sweepHomes()
	for _, pid := range pids {
		if Alive(pid) {
			t.Errorf("left running: %s", describe([]int{pid}))
		}
	}
	if _, err := os.Stat(d.Home()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("home is still there: %v", err)
	}
}

func TestEnvironmentIsSmall(t *testing.T) {
	t.Setenv("NODE_OPTIONS", "--nonsense")
	t.Setenv("PM2_SECRET_KEY", "x")
	t.Setenv("MY_TOKEN", "x")
	for _, kv := range environment("/h") {
		for _, bad := range []string{"NODE_OPTIONS", "SECRET", "TOKEN"} {
			if strings.Contains(kv, bad) {
				t.Errorf("%s got in", kv)
			}
		}
	}
}

func TestParseList(t *testing.T) {
	got, err := parseList([]byte(`[{"pid":"7","name":"a","pm_id":0,"monit":{"memory":5},"pm2_env":{"status":"online","restart_time":"3","exit_code":null,"pm_uptime":1}}]`))
	if err != nil || got[0].PID != 7 || got[0].Restarts != 3 || got[0].ExitCode != -1 || got[0].Memory != 5 {
		t.Fatalf("%+v %v", got, err)
	}
}

func TestTooLongHome(t *testing.T) {
	if _, err := Script("7"); err != nil {
		t.Skip(err)
	}
	_, err := Start(context.Background(), Options{Version: "7", Home: t.TempDir() + "/" + strings.Repeat("x", 100)})
	if err == nil || !strings.Contains(err.Error(), "too long") {
		t.Fatal(err)
	}
}
