package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/pm25/pm25/internal/pm2test"
)

const (
	pm2Version = "7"
	minNode    = 18
)

// prerequisites checks everything at once, so that nobody has to try three times
// to find three things missing. It returns Node's version.
func prerequisites(o options) (node string, err error) {
	var missing []string
	out, err := exec.Command("node", "--version").Output()
	node = strings.TrimPrefix(strings.TrimSpace(string(out)), "v")
	switch {
	case err != nil:
		missing = append(missing, fmt.Sprintf("Node.js is missing: install version %d or later (https://nodejs.org, or the package nodejs)", minNode))
	case major(node) < minNode:
		missing = append(missing, fmt.Sprintf("Node.js %s is too old: install version %d or later (https://nodejs.org)", node, minNode))
	}
	if _, err := pm2test.Script(pm2Version); err != nil {
		missing = append(missing, err.Error())
		if _, err := exec.LookPath("npm"); err != nil {
			missing = append(missing, "npm is missing, and installs PM2: it comes with Node.js (or is the package npm)")
		}
	}
	if fi, err := os.Stat(o.program); err != nil || fi.IsDir() {
		missing = append(missing, fmt.Sprintf("pm25 is not built (no %s): run make build", o.program))
	}
	if len(missing) > 0 {
		return "", errors.New("cannot start:\n  - " + strings.Join(missing, "\n  - "))
	}
	return node, nil
}

func major(version string) int {
	s, _, _ := strings.Cut(version, ".")
	n, _ := strconv.Atoi(s)
	return n
}

// takeLock makes sure that there is one demo at a time in a folder. The kernel
// releases the lock however the demo ends; the pid in the file is for people.
func takeLock(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		pid, _ := os.ReadFile(f.Name())
		f.Close()
		return nil, fmt.Errorf("another demo is running already (pid %s): stop it with Ctrl-C in its terminal, or with kill", strings.TrimSpace(string(pid)))
	}
	if err := f.Truncate(0); err != nil {
		f.Close()
		return nil, err
	}
	if _, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// cleanStart ends what an earlier demo left running, because it was killed
// before it could, and forgets its files. It returns how many processes it ended.
func cleanStart(ctx context.Context, dir, mark string) (int, error) {
	left := len(pm2test.ProcessesWith(mark))
	if err := pm2test.KillWith(ctx, 0, mark); err != nil {
		return left, err
	}
	for _, sub := range []string{"pm2", "data"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			return left, err
		}
	}
	return left, nil
}

// freePorts finds n consecutive loopback ports that nobody listens on, the first
// of them at or after from.
func freePorts(from, n int) (int, error) {
	for base := from; base < from+500; base += n {
		if allFree(base, n) {
			return base, nil
		}
	}
	return 0, fmt.Errorf("no %d free ports between %d and %d", n, from, from+500)
}

func allFree(base, n int) bool {
	for port := base; port < base+n; port++ {
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			return false
		}
		l.Close()
	}
	return true
}
