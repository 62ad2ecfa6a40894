package procfs

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// A scrape reads each process once; what it costs is ns/process.
func BenchmarkRead(b *testing.B) {
	for _, processes := range []int{1, 50, 500} {
		b.Run(fmt.Sprint(processes), func(b *testing.B) {
			benchmarkRead(b, processes, Options{}, New)
		})
	}
	b.Run("50-alone", func(b *testing.B) { benchmarkRead(b, 50, Options{Alone: true}, New) })
	b.Run("50-without-descriptors", func(b *testing.B) { benchmarkRead(b, 50, Options{MaxDescriptors: 1}, New) })
	b.Run("50-gopsutil", func(b *testing.B) { benchmarkRead(b, 50, Options{}, NewGopsutil) })
}

// One process with 20 children.
func BenchmarkReadDescendants(b *testing.B) {
	c := start(b, `for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 600 & p="$p $!"; done; echo up; read x; kill $p; wait; echo down`)
	c.hear(b)
	s := openLinux(b, Options{ScanInterval: time.Hour})
	b.ReportAllocs()
	for b.Loop() {
		if got, err := s.Read(c.pid, time.Time{}, time.Time{}); err != nil || got.Children != 20 {
			b.Fatalf("%+v, %v", got, err)
		}
	}
	c.say(b)
	c.hear(b)
}

// The walk over all processes of the host.
func BenchmarkScan(b *testing.B) {
	s := openLinux(b, Options{})
	sleepers(b, 500)
	b.ReportAllocs()
	for b.Loop() {
		s.scan.refresh(time.Now(), 0, s.opts.ProcRoot, s.root, s.buf)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(s.scan.pids)), "ns/process")
}

func benchmarkRead(b *testing.B, processes int, o Options, open func(Options) (Source, error)) {
	pids := sleepers(b, processes)
	o.ScanInterval = time.Hour
	s, err := open(o)
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	read := func() {
		for _, pid := range pids {
			if _, err := s.Read(pid, time.Time{}, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	}
	read()
	cpu := cpuTime(b)
	b.ReportAllocs()
	for b.Loop() {
		read()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*processes), "ns/process")
	// On a busy machine the time on the clock says little.
	b.ReportMetric(float64(cpuTime(b)-cpu)/float64(b.N*processes), "cpu-ns/process")
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func sleepers(b *testing.B, n int) []int {
	b.Helper()
	pids := make([]int, n)
	for i := range pids {
		cmd := exec.Command("sleep", "600")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		pids[i] = cmd.Process.Pid
	}
	return pids
}
