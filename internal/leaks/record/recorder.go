package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"strconv"

	"github.com/pm25/pm25/internal/leaks"
)

// recorder runs one service until it is time to end, and again whenever it ends or
// is above its memory limit, as PM2 would.
type recorder struct {
	leaks.Scenario
	node, app string

	out       bytes.Buffer
	heapLimit float64
	written   int // samples
	before    int // those of them before this life
}

// record returns the recording in the form that leaks.Parse reads.
func (r *recorder) record() ([]byte, error) {
	for {
		if err := r.life(); err != nil {
			return nil, err
		}
		if r.done() {
			break
		}
		if r.written == r.before {
			return nil, fmt.Errorf("%s %s ends without a sample", r.node, r.app)
		}
		r.before = r.written
		r.out.WriteString(leaks.Restarted + "\n")
	}
	head := fmt.Sprintf("# %s: %s\n# a sample every %v; heap limit %.0f, memory limit %.0f (MiB)\nrss,heap_used,heap_after_gc,cpu_ms\n",
		r.Name, r.What, r.Every, r.heapLimit/leaks.MiB, r.MemoryLimit/leaks.MiB)
	return append([]byte(head), r.out.Bytes()...), nil
}

func (r *recorder) done() bool { return r.written >= int(r.Length/r.Every) }

// life is one start to its end. The service lives as far as it is asked to, so that
// none is ahead of what is read of it.
func (r *recorder) life() error {
	cmd := exec.Command(r.node, fmt.Sprintf("--max-old-space-size=%d", r.OldSpace), "--max-semi-space-size=2", r.app, r.Name,
		strconv.FormatFloat(r.Every.Minutes(), 'g', -1, 64))
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
	err = r.ask(stdin, bufio.NewScanner(stdout))
	_ = stdin.Close()
	_ = cmd.Process.Kill()
	_ = cmd.Wait() // a leak that is let run ends badly, which is its purpose
	return err
}

// ask asks for samples until there are enough, the service ends or it is above its
// limit.
func (r *recorder) ask(stdin io.Writer, lines *bufio.Scanner) error {
	for !r.done() {
		if _, err := io.WriteString(stdin, "\n"); err != nil || !lines.Scan() {
			break // it ended
		}
		rss, err := r.sample(lines.Text())
		if err != nil {
			return err
		}
		if rss > r.MemoryLimit {
			break
		}
	}
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
