package simagent

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/go-kit/log"
)

// Start serves simulated hosts until the test ends, and returns them with the
// file of their targets.
func Start(t testing.TB, hosts, processesPerHost int) (f *Fleet, targets string) {
	t.Helper()
	f, err := New(Options{Hosts: hosts, ProcessesPerHost: processesPerHost, Seed: 25, Logger: log.NewNopLogger(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	s, err := f.Serve()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	targets = filepath.Join(t.TempDir(), "targets.json")
	if err := s.WriteTargets(targets); err != nil {
		t.Fatal(err)
	}
	return f, targets
}
