package message

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/template"
)

// MaxAlerts bounds the alerts of one notification.
const MaxAlerts = 20_000

// Alert is one alert of a notification.
type Alert struct {
	Firing              bool
	Labels, Annotations template.KV
	Starts, Ends        time.Time
}

// Notification is what Alertmanager tells a receiver of one group.
type Notification struct {
	Alerts []Alert // the most urgent first
	// Truncated is how many alerts Alertmanager has left out.
	Truncated int
	// All is where all alerts are seen: Alertmanager's external URL.
	All string
}

// Parse reads the JSON of Alertmanager's webhook.
func Parse(body []byte) (Notification, error) {
	var m struct {
		Alerts          boundedAlerts `json:"alerts"`
		ExternalURL     string        `json:"externalURL"`
		TruncatedAlerts uint64        `json:"truncatedAlerts"`
	}
	if err := json.Unmarshal(body, &m); err != nil {
		return Notification{}, fmt.Errorf("this is no notification of Alertmanager's webhook: %w", err)
	}
	switch {
	case len(m.Alerts) == 0:
		return Notification{}, errors.New("this is no notification of Alertmanager's webhook: it holds no alerts")
	}
	n := Notification{All: m.ExternalURL, Truncated: int(min(m.TruncatedAlerts, 1<<30)), Alerts: make([]Alert, len(m.Alerts))}
	for i, a := range m.Alerts {
		n.Alerts[i] = Alert{Firing: a.Status != "resolved", Labels: a.Labels, Annotations: a.Annotations, Starts: a.StartsAt, Ends: a.EndsAt}
	}
	slices.SortStableFunc(n.Alerts, func(a, b Alert) int { return a.urgency() - b.urgency() })
	return n, nil
}

// boundedAlerts are at most MaxAlerts: empty ones take three bytes in JSON and a
// hundred times as much here.
type boundedAlerts []template.Alert

// UnmarshalJSON ends at the first alert that is one too many.
func (b *boundedAlerts) UnmarshalJSON(body []byte) error {
	d := json.NewDecoder(bytes.NewReader(body))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return errors.New("its alerts are no list")
	}
	for d.More() {
		if len(*b) == MaxAlerts {
			return fmt.Errorf("it holds more than %d alerts: set max_alerts of the webhook", MaxAlerts)
		}
		var a template.Alert
		if err := d.Decode(&a); err != nil {
			return err
		}
		*b = append(*b, a)
	}
	return nil
}

// Count is how many alerts it is of, also of those that were left out.
func (n Notification) Count() int { return len(n.Alerts) + n.Truncated }

func (a Alert) name() string     { return a.Labels["alertname"] }
func (a Alert) severity() string { return strings.ToLower(a.Labels["severity"]) }

// host is where it is; without a label of that name, what was scraped.
func (a Alert) host() string {
	if host := a.Labels["host"]; host != "" {
		return host
	}
	return a.Labels["instance"]
}

// where is the app and host that an alert is about, as far as it says.
func (a Alert) where() string {
	app, host := a.Labels["app"], a.host()
	switch {
	case app != "" && host != "":
		return app + " · " + host
	case app != "":
		return app
	}
	return host
}

// urgency orders alerts: what fires first, then by severity.
func (a Alert) urgency() int {
	rank := slices.Index([]string{"critical", "warning", "info", "none"}, a.severity())
	if rank < 0 {
		rank = 1 // somebody else's rule without one, or with one of its own
	}
	if !a.Firing {
		rank += 10
	}
	return rank
}
