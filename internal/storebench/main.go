//go:build unix

package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/pm25/pm25/sessionstore/sqlite"
)

type options struct {
	records, callers, batch int
	dir                     string
	keep, raw               bool
	profile                 string
}

func main() {
	var o options
	flag.IntVar(&o.records, "records", 1_000_000, "records to load")
	flag.IntVar(&o.callers, "callers", 8, "callers of Push at the same time")
	flag.IntVar(&o.batch, "batch", 250, "records of one Push")
	flag.StringVar(&o.dir, "dir", "", "folder for the files; a temporary one where it is empty")
	flag.BoolVar(&o.keep, "keep", false, "leave the files; a store that is there is queried, not loaded again")
	flag.BoolVar(&o.raw, "raw", true, "insert the same rows without the store, too")
	flag.StringVar(&o.profile, "cpuprofile", "", "file for a CPU profile")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "storebench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	if o.records < 1 || o.callers < 1 || o.batch < 1 {
		return fmt.Errorf("records, callers and batch have to be 1 or more")
	}
	if o.dir == "" {
		dir, err := os.MkdirTemp("", "storebench-")
		if err != nil {
			return err
		}
		o.dir = dir
	}
	if !o.keep {
		defer os.RemoveAll(filepath.Join(o.dir, "bench"))
	}
	stop, err := profile(o.profile)
	if err != nil {
		return err
	}
	defer stop()
	path := filepath.Join(o.dir, "bench", fmt.Sprintf("store-%d.db", o.records))
	_, missing := os.Stat(path)
	load := missing != nil
	end := time.Now().Truncate(time.Hour)
	s, err := sqlite.Open(sqlite.Options{Path: path, Retention: 365 * 24 * time.Hour})
	if err != nil {
		return err
	}
	defer s.Close()
	w := newWorkload(o.records, end)
	if load {
		if err := ingest(ctx, s, w, o); err != nil {
			return err
		}
	}
	if load && o.raw {
		if err := raw(ctx, path, filepath.Join(o.dir, "bench", "raw.db"), min(o.records, 300_000), o.callers*o.batch); err != nil {
			return err
		}
	}
	return query(ctx, s, w)
}

// profile writes a CPU profile until stop is called; none to no file.
func profile(path string) (stop func(), err error) {
	if path == "" {
		return func() {}, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return nil, err
	}
	return func() {
		pprof.StopCPUProfile()
		_ = f.Close()
	}, nil
}
