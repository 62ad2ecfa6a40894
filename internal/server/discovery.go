package server

import (
	"net/http"
	"time"
)

// DefaultForgetAfter is how long an agent that is silent stays a target: long
// enough to be told that it is down.
const DefaultForgetAfter = 24 * time.Hour

// target is one target in the form of Prometheus' http_sd.
type target struct {
	Targets []string          `json:"targets"`
	Labels  map[string]string `json:"labels"`
}

// Targets serves the same list as /api/v1/sd, for who is in this process.
func (s *Server) Targets() http.Handler { return http.HandlerFunc(s.discover) }

// discover lists the agents that want to be scraped.
func (s *Server) discover(w http.ResponseWriter, r *http.Request) {
	hosts, err := s.opts.Store.Hosts(r.Context())
	if err != nil {
		s.fail(w, r, "listing the hosts", err)
		return
	}
	forgetAfter := s.opts.ForgetAfter
	if forgetAfter == 0 {
		forgetAfter = DefaultForgetAfter
	}
	out := []target{}
	for _, h := range hosts {
		if h.Advertise == "" || s.opts.Now().Sub(h.LastSeen) > forgetAfter {
			continue
		}
		t := target{Targets: []string{h.Advertise}, Labels: map[string]string{"host": h.Name, "bucket": h.Bucket}}
		if h.Scheme != "" {
			t.Labels["__scheme__"] = h.Scheme
		}
		out = append(out, t)
	}
	writeJSON(w, http.StatusOK, out) // Prometheus wants no envelope
}
