package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/sessionstore"
)

// maxForm bounds what changes groups and buckets.
const maxForm = 64 << 10

// answer writes data in the envelope of Prometheus' API.
func answer[T any](w http.ResponseWriter, data T) {
	writeJSON(w, http.StatusOK, api.Answer[T]{Status: "success", Data: data})
}

// refuse writes an error in the same form.
func refuse(w http.ResponseWriter, code int, text string) {
	kind := "bad_data"
	switch {
	case code == http.StatusNotFound:
		kind = "not_found"
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		kind = "unauthorized"
	case code == http.StatusServiceUnavailable || code == http.StatusTooManyRequests || code == http.StatusInsufficientStorage:
		kind = "unavailable"
	case code >= http.StatusInternalServerError:
		kind = "internal"
	}
	writeJSON(w, code, api.Answer[any]{Status: "error", ErrorType: kind, Error: text})
}

func writeJSON(w http.ResponseWriter, code int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // no value of ours fails
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write(body) // the reader may be gone
}

// fail answers for the store. What is nobody's fault but ours is logged.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, what string, err error) {
	switch {
	case errors.Is(err, sessionstore.ErrNotFound):
		refuse(w, http.StatusNotFound, fmt.Sprintf("%s: %v", what, sessionstore.ErrNotFound))
	case errors.Is(err, sessionstore.ErrExists):
		refuse(w, http.StatusConflict, fmt.Sprintf("%s: %v", what, sessionstore.ErrExists))
	case errors.Is(err, sessionstore.ErrFull):
		w.Header().Set("Retry-After", retryFull)
		refuse(w, http.StatusInsufficientStorage, "the disk of the store is full: make room, or lower --store.retention.size")
	case errors.Is(err, sessionstore.ErrOverloaded):
		w.Header().Set("Retry-After", retrySoon)
		refuse(w, http.StatusServiceUnavailable, "too many writes wait for the disk of the store")
	case r.Context().Err() != nil: // gone
	default:
		s.opts.Logger.Error("A request failed", "what", what, "err", err)
		refuse(w, http.StatusInternalServerError, what+" failed; the log of the server says why")
	}
}

// read decodes a small body, strictly.
func read(w http.ResponseWriter, r *http.Request, into any) bool {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxForm))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil && d.More() {
		err = errors.New("more than one value")
	}
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		refuse(w, http.StatusRequestEntityTooLarge, fmt.Sprintf("the body is larger than %d bytes", maxForm))
	case err != nil:
		refuse(w, http.StatusBadRequest, "the body is not the JSON that is expected: "+err.Error())
	}
	return err == nil
}
