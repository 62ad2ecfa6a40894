package server

import (
	"net/http"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/sessionstore"
)

func (s *Server) listBuckets(w http.ResponseWriter, r *http.Request) {
	buckets, err := s.opts.Store.Buckets(r.Context())
	if err != nil {
		s.fail(w, r, "listing the buckets", err)
		return
	}
	out := make([]api.Bucket, len(buckets))
	for i, b := range buckets {
		out[i] = bucketView(b)
	}
	answer(w, out)
}

func (s *Server) createBucket(w http.ResponseWriter, r *http.Request) {
	var asked api.NewBucket
	if !read(w, r, &asked) {
		return
	}
	if !sessionstore.ValidBucket(asked.Name) {
		refuse(w, http.StatusBadRequest, "name: it has to be "+sessionstore.BucketRule)
		return
	}
	token, secret, err := s.opts.Store.CreateBucket(r.Context(), asked.Name)
	if err != nil {
		s.fail(w, r, "bucket "+asked.Name, err)
		return
	}
	s.metrics.bucket(asked.Name)
	s.opts.Logger.Info("A bucket was created", "bucket", asked.Name, "token", token.ID, "by", s.who(r))
	answer(w, api.Issued{Bucket: asked.Name, Token: tokenView(token), Secret: secret})
}

func (s *Server) rotateToken(w http.ResponseWriter, r *http.Request) {
	var asked api.Rotate
	if !read(w, r, &asked) {
		return
	}
	keep, err := duration(asked.KeepOld)
	if err != nil {
		refuse(w, http.StatusBadRequest, "keep_old: "+err.Error())
		return
	}
	bucket := r.PathValue("name")
	token, secret, err := s.opts.Store.RotateToken(r.Context(), bucket, keep)
	if err != nil {
		s.fail(w, r, "bucket "+clip(bucket), err)
		return
	}
	s.opts.Logger.Info("A bucket has a new token", "bucket", bucket, "token", token.ID, "old_ones_for", keep, "by", s.who(r))
	answer(w, api.Issued{Bucket: bucket, Token: tokenView(token), Secret: secret})
}

func (s *Server) revokeToken(w http.ResponseWriter, r *http.Request) {
	var asked api.Revoke
	if !read(w, r, &asked) {
		return
	}
	bucket := r.PathValue("name")
	if err := s.opts.Store.RevokeToken(r.Context(), bucket, asked.TokenID); err != nil {
		s.fail(w, r, "token "+clip(asked.TokenID)+" of bucket "+clip(bucket), err)
		return
	}
	s.opts.Logger.Info("A token was revoked", "bucket", bucket, "token", asked.TokenID, "by", s.who(r))
	answer(w, struct{}{})
}

func (s *Server) who(r *http.Request) string {
	name, _ := s.opts.Who(r.Context())
	return name
}
