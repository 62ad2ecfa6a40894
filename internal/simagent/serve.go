package simagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Service is a Fleet that can be scraped, each host on a loopback port of its
// own.
type Service struct {
	fleet   *Fleet
	addrs   []string
	servers []*http.Server
}

// Serve begins to serve; Close ends it.
func (f *Fleet) Serve() (*Service, error) {
	s := &Service{fleet: f}
	for _, h := range f.hosts {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("simagent: %w", err), s.Close())
		}
		mux := http.NewServeMux()
		mux.Handle("GET /metrics", h)
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
		s.addrs, s.servers = append(s.addrs, l.Addr().String()), append(s.servers, server)
		go func() { _ = server.Serve(l) }() // until Close
	}
	return s, nil
}

// Close ends all servers.
func (s *Service) Close() error {
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Close())
	}
	return errors.Join(errs...)
}

// Addr is where a host is scraped, by its place in Hosts.
func (s *Service) Addr(i int) string { return s.addrs[i] }

// WriteTargets writes the hosts as a file of Prometheus' file_sd. Who reads it
// meanwhile finds the old one or the new one.
func (s *Service) WriteTargets(path string) error {
	type target struct {
		Targets []string          `json:"targets"`
		Labels  map[string]string `json:"labels"`
	}
	targets := make([]target, len(s.addrs))
	for i, addr := range s.addrs {
		targets[i] = target{[]string{addr}, map[string]string{"host": s.fleet.hosts[i].name}}
	}
	b, err := json.MarshalIndent(targets, "", " ")
	if err != nil {
		return fmt.Errorf("simagent: %w", err)
	}
	temp := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.WriteFile(temp, b, 0o600); err != nil {
		return fmt.Errorf("simagent: %w", err)
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("simagent: %w", err)
	}
	return nil
}
