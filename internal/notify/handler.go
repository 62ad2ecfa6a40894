package notify

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/notify/message"
	"github.com/pm25/pm25/internal/notify/robot"
)

// Path begins the paths that Handler serves.
const Path = "/notify/"

// Handler serves POST /notify/{kind}/{receiver}. Who may ask is for others to
// decide.
func (b *Bridge) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+Path+"{kind}/{receiver}", b.serve)
	mux.HandleFunc(Path+"{kind}/{receiver}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "notifications come with POST, as Alertmanager's webhook sends them", http.StatusMethodNotAllowed)
	})
	mux.HandleFunc(Path, func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "notifications go to "+Path+"{kind}/{receiver}", http.StatusNotFound)
	})
	return mux
}

func (b *Bridge) serve(w http.ResponseWriter, r *http.Request) {
	kind := robot.Kind(r.PathValue("kind"))
	if !slices.Contains(robot.Kinds(), kind) {
		http.Error(w, fmt.Sprintf("there are robots of the kinds %s, and none of %q", join(robot.Kinds()), cutName(string(kind))), http.StatusNotFound)
		return
	}
	c, others, closed := b.courier(kind, r.PathValue("receiver"))
	switch {
	case closed: // 404 would not be tried again
		answer(w, outcome{err: errStopping, retry: true})
		return
	case c == nil:
		http.Error(w, unknown(kind, r.PathValue("receiver"), others), http.StatusNotFound)
		return
	}
	n, size, status, err := b.read(w, r)
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	answer(w, c.deliver(r.Context(), n, size))
}

// read reads a notification; some at a time, because each may be large.
func (b *Bridge) read(w http.ResponseWriter, r *http.Request) (n message.Notification, size, status int, err error) {
	select {
	case b.reading <- struct{}{}:
		defer func() { <-b.reading }()
	case <-r.Context().Done():
		return n, 0, http.StatusServiceUnavailable, r.Context().Err()
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return n, 0, http.StatusRequestEntityTooLarge, fmt.Errorf("the notification has more than %d bytes: set max_alerts of the webhook", maxBody)
	case err != nil:
		return n, 0, http.StatusBadRequest, errors.New("the notification could not be read to its end")
	}
	if n, err = message.Parse(body); err != nil {
		return n, 0, http.StatusBadRequest, err
	}
	return n, len(body) + len(n.Alerts)*alertSize, 0, nil
}

func unknown(kind robot.Kind, name string, others []string) string {
	if len(others) == 0 {
		return fmt.Sprintf("there is no receiver of the kind %s: name one in the file of receivers", kind)
	}
	return fmt.Sprintf("there is no receiver %q of the kind %s; there is %s", cutName(name), kind, strings.Join(others, ", "))
}

func cutName(name string) string { return name[:min(len(name), 64)] }

func join(kinds []robot.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k)
	}
	return strings.Join(names, ", ")
}

// answer tells Alertmanager what became of a notification.
func answer(w http.ResponseWriter, o outcome) {
	switch {
	case o.err == nil:
		fmt.Fprintln(w, "told")
	case o.retry:
		if o.after > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int((o.after+time.Second-1)/time.Second)))
		}
		http.Error(w, o.err.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, o.err.Error(), http.StatusBadRequest)
	}
}
