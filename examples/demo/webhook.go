package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// told is one alert of a message of Alertmanager's webhook.
type told struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	GeneratorURL string            `json:"generatorURL"`
}

// webhook stands for the chat that a team would send its alerts to.
type webhook struct {
	url    string
	server *http.Server
	alerts chan told // those that came, in order
}

func startWebhook(port int) (*webhook, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return nil, err
	}
	w := &webhook{url: "http://" + l.Addr().String() + "/alerts", alerts: make(chan told, 100)}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = w.server.Serve(l) }() // until it is closed
	return w, nil
}

// ServeHTTP takes a message. While nobody reads, Alertmanager is told to try
// again.
func (w *webhook) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	var message struct {
		Alerts []told `json:"alerts"`
	}
	if err := json.NewDecoder(io.LimitReader(r.Body, 1<<20)).Decode(&message); err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	for _, a := range message.Alerts {
		select {
		case w.alerts <- a:
		default:
			http.Error(rw, "not now", http.StatusServiceUnavailable)
			return
		}
	}
}

func (w *webhook) close() { _ = w.server.Close() }

// links are those of an alert, in the order in which one needs them.
func (a told) links() [][2]string {
	return [][2]string{
		{"live page", a.Annotations["dashboard_url"]},
		{"expression", a.GeneratorURL},
		{"runbook", a.Annotations["runbook_url"]},
		{"silence", a.Annotations["silence_url"]},
	}
}

// text is an alert as the demo prints it.
func (a told) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  ┃ %s  %s  %s\n", strings.ToUpper(a.Status), a.Labels["alertname"], a.Annotations["summary"])
	if a.Status == "firing" {
		fmt.Fprintf(&b, "  ┃ %s\n", a.Annotations["description"])
		for _, link := range a.links() {
			fmt.Fprintf(&b, "  ┃   %-10s  %s\n", link[0], link[1])
		}
	}
	return b.String()
}

// await waits for the alert of an app, and prints all that come.
func (w *webhook) await(ctx context.Context, p *progress, name, app string) (told, error) {
	for {
		select {
		case <-ctx.Done():
			return told{}, fmt.Errorf("the webhook was not told of %s of %s", name, app)
		case a := <-w.alerts:
			p.told(a)
			if a.Status == "firing" && a.Labels["alertname"] == name && a.Labels["app"] == app {
				return a, nil
			}
		}
	}
}
