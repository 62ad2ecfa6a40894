// Package simagent simulates the agents of many hosts, for load tests and
// pictures: each host has a PM2 daemon whose processes use CPU time and memory,
// restart and crash as time passes.
//
// What a host exposes comes out of the real exporter and the real ledger, so
// its metrics are those of the catalog by construction. What they measure is
// made up: no process runs, and the host's own figures are not this machine's.
// The same seed gives the same hosts, apps and habits; samples depend on when
// they are taken.
package simagent

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-kit/log"
)

// Options of a Fleet. All but Seed are required.
type Options struct {
	Hosts            int
	ProcessesPerHost int
	Seed             uint64
	Logger           log.Logger
	Now              func() time.Time
}

func (o Options) validate() error {
	switch {
	case o.Logger == nil || o.Now == nil:
		return errors.New("simagent: an option is missing")
	case o.Hosts < 1 || o.Hosts > 10_000:
		return fmt.Errorf("simagent: %d hosts: there have to be 1 to 10000", o.Hosts)
	case o.ProcessesPerHost < 1 || o.ProcessesPerHost > 10_000:
		return fmt.Errorf("simagent: %d processes a host: there have to be 1 to 10000", o.ProcessesPerHost)
	}
	return nil
}

// Fleet is a number of simulated hosts.
type Fleet struct {
	hosts []*Host
}

// New makes the hosts. They are named web-01 and so on.
func New(o Options) (*Fleet, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	f := &Fleet{}
	for i := range o.Hosts {
		h, err := newHost(fmt.Sprintf("web-%02d", i+1), o, rand.New(rand.NewPCG(o.Seed, uint64(i))))
		if err != nil {
			return nil, err
		}
		f.hosts = append(f.hosts, h)
	}
	return f, nil
}

// Hosts lists the hosts in the order of their names.
func (f *Fleet) Hosts() []*Host { return f.hosts }
