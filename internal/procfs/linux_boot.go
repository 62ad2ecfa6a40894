//go:build linux

package procfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// bootClock turns start times, which count from boot, into wall time. The
// moment of boot on the wall clock moves when that clock is set, so it is
// looked at again now and then; small differences are ignored, so that the
// start time of a process is the same in every scrape.
type bootClock struct {
	procRoot string
	boot     time.Time
	clocks   bool // this process' own clocks agree with procRoot
	checked  time.Time
}

const (
	bootClockEvery     = 10 * time.Second
	bootClockTolerance = 500 * time.Millisecond
)

func newBootClock(procRoot string) (bootClock, error) {
	c := bootClock{procRoot: procRoot, checked: time.Now()}
	btime, err := readBtime(procRoot)
	if err != nil {
		return c, err
	}
	c.boot = btime
	// btime has whole seconds; the clocks are exact, if they are about the
	// same boot (time namespaces have their own).
	if own, err := bootFromClocks(); err == nil && own.Sub(btime).Abs() < 2*time.Second {
		c.boot, c.clocks = own, true
	}
	return c, nil
}

func (c *bootClock) refresh(now time.Time) {
	// Sub uses the monotonic clock, which nobody sets.
	if now.Sub(c.checked) < bootClockEvery {
		return
	}
	c.checked = now
	boot, err := bootFromClocks()
	if !c.clocks {
		boot, err = readBtime(c.procRoot)
	}
	if err == nil && boot.Sub(c.boot).Abs() > bootClockTolerance {
		c.boot = boot
	}
}

// at returns the wall time of a tick after boot.
func (c *bootClock) at(ticks uint64) time.Time {
	return c.boot.Add(time.Duration(ticks) * (time.Second / ticksPerSecond))
}

func bootFromClocks() (time.Time, error) {
	var boot unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &boot); err != nil {
		return time.Time{}, fmt.Errorf("read CLOCK_BOOTTIME: %w", err)
	}
	return time.Now().Round(0).Add(-time.Duration(boot.Nano())), nil
}

// readBtime reads the time of boot from /proc/stat.
func readBtime(procRoot string) (time.Time, error) {
	name := filepath.Join(procRoot, "stat")
	b, err := os.ReadFile(name)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the time of boot: %w", err)
	}
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("btime "))
		if !ok {
			continue
		}
		v, err := strconv.ParseInt(string(bytes.TrimSpace(rest)), 10, 64)
		if err != nil {
			return time.Time{}, fmt.Errorf("time of boot in %s: %w", name, err)
		}
		return time.Unix(v, 0), nil
	}
	return time.Time{}, fmt.Errorf("no time of boot in %s", name)
}
