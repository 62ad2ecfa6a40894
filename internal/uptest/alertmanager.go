package uptest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Alert is an alert as Alertmanager's API shows it.
type Alert struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	Fingerprint string            `json:"fingerprint"`
	Status      struct {
		State      string   `json:"state"`
		SilencedBy []string `json:"silencedBy"`
	} `json:"status"`
}

// Alerts lists what Alertmanager holds.
func (u *Up) Alerts() ([]Alert, error) {
	var alerts []Alert
	return alerts, u.alertmanager("/alerts", &alerts)
}

// Silence is a silence as Alertmanager's API shows it.
type Silence struct {
	ID      string    `json:"id"`
	Comment string    `json:"comment"`
	EndsAt  time.Time `json:"endsAt"`
	Status  struct {
		State string `json:"state"`
	} `json:"status"`
	Matchers []Matcher `json:"matchers"`
}

// Matcher is one condition of a Silence.
type Matcher struct {
	Name    string `json:"name"`
	Value   string `json:"value"`
	IsRegex bool   `json:"isRegex"`
	IsEqual bool   `json:"isEqual"`
}

// Silences lists the silences, those that have ended too.
func (u *Up) Silences() ([]Silence, error) {
	var silences []Silence
	return silences, u.alertmanager("/silences", &silences)
}

// Silence silences what has all the labels, from now on, and returns the id.
func (u *Up) Silence(labels map[string]string, last time.Duration, comment string) (id string, err error) {
	var matchers []Matcher
	for _, name := range slices.Sorted(maps.Keys(labels)) {
		matchers = append(matchers, Matcher{Name: name, Value: labels[name], IsEqual: true})
	}
	now := time.Now()
	code, body, err := u.Do(http.MethodPost, "/alertmanager/api/v2/silences", map[string]any{
		"matchers": matchers, "startsAt": now, "endsAt": now.Add(last), "createdBy": "test", "comment": comment,
	})
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("silences answers %d: %s", code, strings.TrimSpace(body))
	}
	if err != nil {
		return "", err
	}
	var answer struct{ SilenceID string }
	return answer.SilenceID, unmarshal(body, &answer)
}

func (u *Up) alertmanager(path string, into any) error {
	code, body, err := u.Get("/alertmanager/api/v2" + path)
	if err == nil && code != http.StatusOK {
		err = fmt.Errorf("%s answers %d: %s", path, code, strings.TrimSpace(body))
	}
	if err != nil {
		return err
	}
	return unmarshal(body, into)
}

func unmarshal(body string, into any) error {
	if err := json.Unmarshal([]byte(body), into); err != nil {
		return fmt.Errorf("%w: %.200s", err, body)
	}
	return nil
}
