package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/exporter"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship"
)

// ShipOptions say where records go. Without URL none are made.
type ShipOptions struct {
	URL       string // --server.url
	TokenFile string // --server.token-file
	CAFile    string // --server.ca-file
	Insecure  bool   // --server.insecure
	Dir       string // --spool.dir; empty: spool in StateDir
	MaxBytes  int64  // --spool.max-bytes; 0 is ship.DefaultMaxBytes
	Host      string // --host.name; empty: the machine's
	Advertise string // --web.advertise-address: host:port, or https://host:port

	// For a server in this process: see ship.Options.
	Token     func() (string, error)
	Transport http.RoundTripper
}

// RecordSink takes records of what happened. Offer never blocks; false: the record
// was dropped, and counted. The record is not to be changed after it.
type RecordSink interface {
	Offer(*record.Record) bool
}

// Records is where records of what happened go; nil where no server is configured.
func (a *Agent) Records() RecordSink {
	if a.shipper == nil {
		return nil
	}
	return a.shipper
}

// HostName is the host as records name it.
func (o ShipOptions) HostName() (string, error) {
	if o.Host != "" {
		return o.Host, nil
	}
	name, err := os.Hostname()
	if err != nil {
		return "", fmt.Errorf("this machine has no name: %w; give one with --host.name", err)
	}
	return name, nil
}

// validate finds options that would do nothing.
func (o ShipOptions) validate() error {
	if o.URL != "" {
		return nil // the shipper looks at the rest
	}
	for flag, value := range map[string]string{"server.token-file": o.TokenFile, "server.ca-file": o.CAFile, "web.advertise-address": o.Advertise} {
		if value != "" {
			return fmt.Errorf("--%s does nothing without --server.url", flag)
		}
	}
	if o.Insecure {
		return errors.New("--server.insecure does nothing without --server.url")
	}
	return nil
}

// openShipper returns nil where no server is configured.
func openShipper(o Options) (*ship.Shipper, error) {
	s := o.Ship
	if s.URL == "" {
		return nil, nil
	}
	host, err := s.HostName()
	if err != nil {
		return nil, err
	}
	dir := s.Dir
	if dir == "" {
		dir = filepath.Join(o.StateDir, "spool")
	}
	scheme := ""
	address, isTLS := strings.CutPrefix(s.Advertise, "https://")
	if isTLS {
		scheme = "https"
	}
	return ship.Open(ship.Options{
		Dir: dir, MaxBytes: s.MaxBytes, URL: s.URL, TokenFile: s.TokenFile, CAFile: s.CAFile, Insecure: s.Insecure,
		Token: s.Token, Transport: s.Transport, Host: host, Advertise: strings.TrimPrefix(address, "http://"), Scheme: scheme,
		AgentVersion: version.Version, Logger: o.Logger, Now: o.Now,
	})
}

// shipping is the shipper's numbers as the exporter takes them.
func shipping(s *ship.Shipper) func() exporter.Shipping {
	if s == nil {
		return nil
	}
	return func() exporter.Shipping {
		st := s.Stats()
		out := exporter.Shipping{
			SpoolBytes: st.Spool.Bytes, SpoolMaxBytes: st.Spool.MaxBytes, SpoolRecords: st.Spool.Records, SpoolOldest: st.Spool.Oldest,
			WriteFailures: st.Spool.Failures, Damaged: map[string]uint64{"torn": st.Spool.TornBytes, "corrupt": st.Spool.CorruptBytes},
			Queued: st.Queued, Receipts: st.Requests, LastReceipt: st.LastReceipt, DeadLetterBytes: st.DeadLetterBytes,
			Acknowledged: map[string]uint64{"stored": st.Stored, "duplicate": st.Duplicates},
			Records:      byName(st.Spool.Spooled), Retries: byName(st.Failures), DeadLetters: byName(st.DeadLetters),
			Dropped: map[[2]string]uint64{},
		}
		for d, n := range st.Dropped {
			out.Dropped[[2]string{string(d.Kind), string(d.Reason)}] = n
		}
		return out
	}
}

func byName[K ~string](in map[K]uint64) map[string]uint64 {
	out := make(map[string]uint64, len(in))
	for k, n := range in {
		out[string(k)] = n
	}
	return out
}
