package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Traffic is little on purpose: enough that something moves, and nothing that a
// laptop notices.
const (
	requestEvery = 250 * time.Millisecond
	maxInFlight  = 4
)

type traffic struct {
	sent, answered atomic.Int64

	cancel context.CancelFunc
	done   sync.WaitGroup
}

// startTraffic sends requests until ctx is done or it is stopped.
func startTraffic(ctx context.Context, base int) *traffic {
	t := &traffic{}
	ctx, t.cancel = context.WithCancel(ctx)
	// No proxy: these requests stay on the machine.
	client := &http.Client{Timeout: 3 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: maxInFlight}}
	free := make(chan struct{}, maxInFlight)
	t.done.Go(func() {
		tick := time.NewTicker(requestEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			select {
			case free <- struct{}{}:
			default:
				continue // the shop is busy: leave it alone
			}
			t.done.Go(func() {
				defer func() { <-free }()
				t.request(ctx, client, base)
			})
		}
	})
	return t
}

func (t *traffic) request(ctx context.Context, client *http.Client, base int) {
	method, url := pick(base, rand.IntN(100), rand.IntN(20))
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(""))
	if err != nil {
		return
	}
	t.sent.Add(1)
	res, err := client.Do(req)
	if err != nil {
		return
	}
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20))
	res.Body.Close()
	if err == nil {
		t.answered.Add(1)
	}
}

// pick chooses what a customer does: mostly looking, sometimes buying, now and
// then following a dead link.
func pick(base, dice, customer int) (method, url string) {
	web, api, orders := base, base+1, base+2
	at := func(port int, path string) string { return fmt.Sprintf("http://127.0.0.1:%d%s", port, path) }
	products := []string{"sencha", "longjing", "assam", "pot"}
	switch {
	case dice < 35:
		return http.MethodGet, at(web, "/")
	case dice < 60:
		return http.MethodGet, at(web, "/products/"+products[dice%len(products)])
	case dice < 63:
		return http.MethodGet, at(web, "/products/discontinued")
	case dice < 80:
		return http.MethodPost, at(api, fmt.Sprintf("/api/carts/customer-%d/items", customer))
	case dice < 90:
		return http.MethodPost, at(orders, "/orders")
	default:
		return http.MethodGet, at(orders, "/orders")
	}
}

// stop returns when the last request is over.
func (t *traffic) stop() {
	t.cancel()
	t.done.Wait()
}
