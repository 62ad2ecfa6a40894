package uptest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// Message is one message of Alertmanager's webhook.
type Message struct {
	At          time.Time         `json:"-"` // when it came
	Version     string            `json:"version"`
	GroupKey    string            `json:"groupKey"`
	Status      string            `json:"status"`
	Receiver    string            `json:"receiver"`
	GroupLabels map[string]string `json:"groupLabels"`
	ExternalURL string            `json:"externalURL"`
	Alerts      []Told            `json:"alerts"`
}

// Told is one alert of a message.
type Told struct {
	At           time.Time         `json:"-"` // when the message came
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// String is what matters of it, for messages of tests.
func (a Told) String() string {
	return fmt.Sprintf("%s %s %v (since %s)", a.At.Format("15:04:05"), a.Status, a.Labels, a.StartsAt.Format("15:04:05"))
}

// Webhook is a server that keeps what Alertmanager tells it.
type Webhook struct {
	URL string

	mu       sync.Mutex
	messages []Message
	bad      []error
}

// NewWebhook starts one, for as long as the test lasts. Messages that are not
// Alertmanager's fail the test.
func NewWebhook(t testing.TB) *Webhook {
	t.Helper()
	w := &Webhook{}
	server := httptest.NewServer(w)
	w.URL = server.URL + "/hook"
	t.Cleanup(func() {
		server.Close()
		for _, err := range w.bad {
			t.Errorf("the webhook got no message of Alertmanager's: %v", err)
		}
		if t.Failed() {
			t.Logf("the webhook was told: %v", w.Told())
		}
	})
	return w
}

// ServeHTTP takes a message.
func (w *Webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	m := Message{At: time.Now()}
	body, err := io.ReadAll(io.LimitReader(r.Body, bodyLimit))
	if err == nil {
		err = json.Unmarshal(body, &m)
	}
	if err == nil && (m.Version != "4" || len(m.Alerts) == 0) {
		err = fmt.Errorf("%.200s", body)
	}
	for i := range m.Alerts {
		m.Alerts[i].At = m.At
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.bad = append(w.bad, err)
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	w.messages = append(w.messages, m)
}

// Messages are those that came, in order.
func (w *Webhook) Messages() []Message {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.messages)
}

// Told are the alerts of all messages that have a status, "firing" or
// "resolved", and the labels, given as name and value in turn; without any, all.
func (w *Webhook) Told(statusAndLabels ...string) []Told {
	var out []Told
	for _, m := range w.Messages() {
		for _, a := range m.Alerts {
			if a.is(statusAndLabels) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (a Told) is(statusAndLabels []string) bool {
	if len(statusAndLabels) == 0 {
		return true
	}
	if a.Status != statusAndLabels[0] {
		return false
	}
	for i := 1; i+1 < len(statusAndLabels); i += 2 {
		if a.Labels[statusAndLabels[i]] != statusAndLabels[i+1] {
			return false
		}
	}
	return true
}

// Wait waits until such an alert was told and returns the first.
func (w *Webhook) Wait(t testing.TB, within time.Duration, statusAndLabels ...string) Told {
	t.Helper()
	var first Told
	pm2test.Eventually(t, within, func() error {
		told := w.Told(statusAndLabels...)
		if len(told) == 0 {
			return fmt.Errorf("nobody told of %q", statusAndLabels)
		}
		first = told[0]
		return nil
	})
	return first
}
