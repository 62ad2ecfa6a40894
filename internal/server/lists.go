package server

import (
	"net/http"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/sessionstore"
)

func (s *Server) listRuns(w http.ResponseWriter, r *http.Request) {
	p := params{values: r.URL.Query(), now: s.opts.Now()}
	q := sessionstore.RunQuery{
		Bucket: p.text("bucket"), Host: p.text("host"), Daemon: p.text("daemon"), Namespace: p.text("pm2_namespace"), App: p.text("app"),
		PMID: p.number("pm_id", -1, 0, 1<<31-1), Since: p.since("since", 0), Limit: p.number("limit", defaultLimit, 1, maxLimit),
	}
	if p.err != nil {
		refuse(w, http.StatusBadRequest, p.err.Error())
		return
	}
	runs, err := s.opts.Store.Runs(r.Context(), q)
	if err != nil {
		s.fail(w, r, "listing the runs", err)
		return
	}
	out := make([]api.Run, len(runs))
	for i, run := range runs {
		out[i] = runView(run)
	}
	answer(w, out)
}

// whoami tells by whose name something would be changed.
func (s *Server) whoami(w http.ResponseWriter, r *http.Request) {
	answer(w, api.Identity{Name: s.who(r)})
}

func (s *Server) showRecord(w http.ResponseWriter, r *http.Request) {
	found, bucket, err := s.opts.Store.Record(r.Context(), r.PathValue("id"))
	if err != nil {
		s.fail(w, r, "record "+clip(r.PathValue("id")), err)
		return
	}
	answer(w, api.Stored{Bucket: bucket, Record: found})
}

func (s *Server) listHosts(w http.ResponseWriter, r *http.Request) {
	hosts, err := s.opts.Store.Hosts(r.Context())
	if err != nil {
		s.fail(w, r, "listing the hosts", err)
		return
	}
	out := make([]api.Host, len(hosts))
	for i, h := range hosts {
		out[i] = hostView(h)
	}
	answer(w, out)
}
