package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"

	"github.com/pm25/pm25/internal/leaks"
)

// recorder runs one service until it is time to end, and again whenever it ends or
// is above its memory limit, as PM2 would.
type recorder struct {
	leaks.Scenario
	node, app string
	pace      float64
	samples   int // to record

	out       bytes.Buffer
	heapLimit float64
	written   int
}

// record returns the recording in the form that leaks.Parse reads.
func (r *recorder) record() ([]byte, error) {
	for {
		if err := r.life(); err != nil {
			return nil, err
		}
		if r.written >= r.samples {
			break
		}
		r.out.WriteString(leaks.Restarted + "\n")
	}
	head := fmt.Sprintf("# %s: %s\n# %g s an hour, a sample every %v; heap limit %.0f, memory limit %.0f (MiB)\nrss,heap_used,heap_after_gc,cpu_ms\n",
		r.Name, r.What, r.SecondsPerHour, r.Every, r.heapLimit/leaks.MiB, r.MemoryLimit/leaks.MiB)
	return append([]byte(head), r.out.Bytes()...), nil
}

// life is one start to its end.
func (r *recorder) life() error {
	cmd := exec.Command(r.node, fmt.Sprintf("--max-old-space-size=%d", r.OldSpace), "--max-semi-space-size=2", r.app, r.Name,
		strconv.FormatFloat(r.SecondsPerHour, 'g', -1, 64), strconv.FormatInt(r.Every.Milliseconds(), 10), strconv.FormatFloat(r.pace, 'g', -1, 64))
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		rss, err := r.sample(lines.Text())
		if err != nil {
			return err
		}
		if rss > r.MemoryLimit || r.written >= r.samples {
			break
		}
	}
	_ = stdin.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // a leak that is let run ends badly, which is its purpose
	return lines.Err()
}

func (r *recorder) sample(line string) (rss float64, err error) {
	var used, after, limit float64
	var cpu int64
	if _, err := fmt.Sscan(line, &rss, &used, &after, &limit, &cpu); err != nil {
		return 0, fmt.Errorf("sample %q: %w", line, err)
	}
	r.heapLimit = limit
	r.written++
	fmt.Fprintf(&r.out, "%.1f,%.1f,%.1f,%d\n", rss/leaks.MiB, used/leaks.MiB, after/leaks.MiB, cpu)
	return rss, nil
}
