package pm2test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Processes returns the ids of all processes that belong to the PM2 daemon of a
// home: itself, its apps, and what those started. (A program that was merely
// given a PM2_HOME, such as the agent, is not among them.)
func Processes(home string) []int {
	return ProcessesWith(homeMarks(home)...)
}

// PM2's command line adds PM2_USAGE to what its daemon and apps inherit.
func homeMarks(home string) []string { return []string{"PM2_HOME=" + home, "PM2_USAGE=CLI"} }

// ProcessesWith returns the ids of all processes that were started with all of
// the given KEY=VALUE settings in their environment. Children inherit them, so
// none is missed because its parent ended first, and none is taken for another
// that has its number now.
func ProcessesWith(env ...string) []int {
	entries, _ := os.ReadDir("/proc")
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && pid != os.Getpid() && hasEnv(pid, env) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func hasEnv(pid int, want []string) bool {
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return false
	}
	env = append([]byte{0}, env...)
	for _, kv := range want {
		if !bytes.Contains(env, []byte("\x00"+kv+"\x00")) {
			return false
		}
	}
	return true
}

// KillHome makes sure that nothing of a home is left running: it waits for
// patience, then kills what is still there. It is also the way to clean up after
// a run that ended too hard to do it itself.
func KillHome(ctx context.Context, home string, patience time.Duration) error {
	return KillWith(ctx, patience, homeMarks(home)...)
}

// KillWith is KillHome for the processes that ProcessesWith finds.
func KillWith(ctx context.Context, patience time.Duration, env ...string) error {
	return (&reaper{env: env}).end(ctx, patience)
}

// reaper sees to the end of processes. It remembers those that it has seen: a
// process that is on its way out has no environment any more but still holds its
// files and ports for a moment.
type reaper struct {
	env  []string
	seen map[process]bool
}

// process is a process id that cannot be taken for a later one.
type process struct {
	pid   int
	start string
}

// look returns the processes that still run.
func (r *reaper) look() []int {
	if r.seen == nil {
		r.seen = map[process]bool{}
	}
	for _, pid := range ProcessesWith(r.env...) {
		if start, ok := running(pid); ok {
			r.seen[process{pid, start}] = true
		}
	}
	var pids []int
	for p := range r.seen {
		if start, ok := running(p.pid); ok && start == p.start {
			pids = append(pids, p.pid)
		} else {
			delete(r.seen, p)
		}
	}
	return pids
}

func (r *reaper) end(ctx context.Context, patience time.Duration) error {
	gone := func() error {
		if pids := r.look(); len(pids) > 0 {
			return fmt.Errorf("still running: %s", describe(pids))
		}
		return nil
	}
	soft, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if poll(soft, gone) == nil {
		return nil
	}
	// The end itself does not hurry: giving up halfway would leave processes.
	hard, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	return poll(hard, func() error {
		for _, pid := range r.look() {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		return gone()
	})
}

func describe(pids []int) string {
	var out []string
	for _, pid := range pids {
		cmd, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		cmd = bytes.TrimSpace(bytes.ReplaceAll(cmd, []byte{0}, []byte{' '}))
		if len(cmd) > 80 {
			cmd = cmd[:80]
		}
		out = append(out, fmt.Sprintf("%d (%s)", pid, cmd))
	}
	return strings.Join(out, ", ")
}

func readPID(path string) int {
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid < 1 {
		return 0
	}
	return pid
}

// Alive says whether a process exists and is more than a zombie.
func Alive(pid int) bool {
	_, ok := running(pid)
	return ok
}

// running is Alive, and the time at which the process started.
func running(pid int) (start string, ok bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", false
	}
	// Behind the name, which may hold anything, in parentheses: the state,
	// and 19 fields later the start.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(fields) < 20 || fields[0] == "Z" || fields[0] == "X" {
		return "", false
	}
	return fields[19], true
}
