//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// cpuMeter adds up the CPU time of a process' threads. Threads that have ended
// keep what they had at the last look.
type cpuMeter struct {
	pid     int
	threads map[string]time.Duration
}

func newCPUMeter(pid int) *cpuMeter {
	return &cpuMeter{pid: pid, threads: map[string]time.Duration{}}
}

func (m *cpuMeter) read() (time.Duration, error) {
	dir := fmt.Sprintf("/proc/%d/task", m.pid)
	tasks, err := os.ReadDir(dir)
	if err != nil {
		return 0, err
	}
	for _, t := range tasks {
		if d, err := schedstat(dir + "/" + t.Name() + "/schedstat"); err == nil {
			m.threads[t.Name()] = d
		}
	}
	var sum time.Duration
	for _, d := range m.threads {
		sum += d
	}
	return sum, nil
}

// schedstat is the time a thread was on a CPU.
func schedstat(path string) (time.Duration, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	first, _, _ := bytes.Cut(b, []byte{' '})
	ns, err := strconv.ParseInt(string(first), 10, 64)
	return time.Duration(ns), err
}

// memory of a process, in bytes.
type memory struct{ rss, hwm, anon uint64 }

func readMemory(pid int) (memory, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return memory{}, err
	}
	var m memory
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		n, _ := strconv.ParseUint(f[1], 10, 64)
		switch f[0] {
		case "VmRSS:":
			m.rss = n << 10
		case "VmHWM:":
			m.hwm = n << 10
		case "RssAnon:":
			m.anon = n << 10
		}
	}
	return m, nil
}
