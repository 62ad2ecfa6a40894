//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// The main goroutine stays on the main thread: what it starts ends with that
// thread, and its own CPU time can be told from the rest of the program's.
func init() { runtime.LockOSThread() }

func main() {
	root := pm2test.Root()
	var o options
	var sizes string
	flag.StringVar(&sizes, "sizes", "1,10,50,100,500", "numbers of processes to measure with")
	flag.BoolVar(&o.quick, "quick", false, "sizes 1, 10 and 50, and too few scrapes for more than an impression: about 3 minutes")
	flag.StringVar(&o.out, "o", "", "file for the report; default docs/benchmarks.md for a full run, else standard output")
	flag.StringVar(&o.agent, "agent", filepath.Join(root, "bin", "pm25-agent"), "the agent to measure")
	flag.Parse()
	chosen := false
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "sizes" })
	if o.quick && !chosen {
		sizes = "1,10,50"
	}
	if o.out == "" && !o.quick && !chosen {
		o.out = filepath.Join(root, "docs", "benchmarks.md")
	}
	if err := o.parseSizes(sizes); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	quick bool
	sizes []int
	out   string
	agent string
}

func (o *options) parseSizes(text string) error {
	for s := range strings.SplitSeq(text, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(s))
		if err != nil || n < 1 || n > 2000 {
			return fmt.Errorf("-sizes: %q is no number between 1 and 2000", s)
		}
		o.sizes = append(o.sizes, n)
	}
	slices.Sort(o.sizes) // apps are only ever added
	o.sizes = slices.Compact(o.sizes)
	return nil
}

func run(ctx context.Context, o options) (err error) {
	if _, err := os.Stat(o.agent); err != nil {
		return fmt.Errorf("%w; make build builds it", err)
	}
	dir, err := os.MkdirTemp("", "pm25-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	p := newProgress(o)
	p.step("starting PM2", startPM2)
	d, err := pm2test.Start(ctx, pm2test.Options{Version: "7"})
	if err != nil {
		return err
	}
	defer func() {
		kill, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err = errors.Join(err, d.Kill(kill))
	}()
	b := &bench{opts: o, dir: dir, daemon: d, progress: p}
	report := newReport(o, d)
	for _, n := range o.sizes {
		r, err := b.size(ctx, n)
		if err != nil {
			return fmt.Errorf("with %d processes: %w", n, err)
		}
		report.results = append(report.results, r)
	}
	p.finish()
	text := report.markdown()
	if o.out == "" {
		fmt.Print("\n" + text)
		return nil
	}
	if err := os.WriteFile(o.out, []byte(text), 0o644); err != nil {
		return err
	}
	fmt.Print("\n" + report.summary())
	fmt.Println("written:", o.out)
	return nil
}
