package memnet

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func client(t *testing.T, n *Network) *http.Client {
	transport := &http.Transport{DialContext: n.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func get(t *testing.T, c *http.Client, url string) (string, error) {
	t.Helper()
	resp, err := c.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body), nil
}

func TestHTTPInMemory(t *testing.T) {
	n := New()
	l := n.Listen("agent")
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	c := client(t, n)
	if body, err := get(t, c, "http://agent.in-process:80/metrics"); err != nil || body != "agent.in-process:80" {
		t.Errorf("got %q, %v", body, err)
	}
	if err := server.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("Serve ended with %v", err)
	}
	if _, err := get(t, c, "http://agent.in-process:80/metrics"); err == nil || !strings.Contains(err.Error(), "nothing answers at agent.in-process") {
		t.Errorf("after the listener closed: %v", err)
	}
}

func TestOtherHostsAreDialled(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "real") }))
	defer server.Close()
	if body, err := get(t, client(t, New()), server.URL); err != nil || body != "real" {
		t.Errorf("got %q, %v", body, err)
	}
}

func TestDialGivesUpWithItsContext(t *testing.T) {
	n := New()
	defer n.Listen("deaf").Close() // never accepts
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := n.DialContext(ctx, "tcp", "deaf.in-process:80"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
