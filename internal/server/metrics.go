package server

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/sessionstore"
)

const (
	// newGroupFor and maxNewGroups bound the series of new groups.
	newGroupFor  = time.Hour
	maxNewGroups = 100
	maxTitle     = 100 // letters of a title in a label

	// askAgain is how long answers of the store are good for scrapes.
	askAgain   = 5 * time.Second
	askTimeout = 4 * time.Second
)

// metrics of what is pushed. Those of what the store holds are asked of it.
type metrics struct {
	requests, rejected, stored, duplicates, refused *prometheus.CounterVec
	bytes                                           prometheus.Counter
	duration                                        prometheus.Histogram
}

func newMetrics(o Options) (*metrics, error) {
	m := &metrics{
		requests:   counters(catalog.ServerPushRequests),
		rejected:   counters(catalog.ServerPushRejected),
		stored:     counters(catalog.ServerRecordsStored),
		duplicates: counters(catalog.ServerRecordsDuplicate),
		refused:    counters(catalog.ServerRecordsRefused),
		bytes:      prometheus.NewCounter(prometheus.CounterOpts{Name: catalog.ServerPushBytes, Help: help(catalog.ServerPushBytes)}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: catalog.ServerPushDuration, Help: help(catalog.ServerPushDuration), Buckets: metric(catalog.ServerPushDuration).Buckets,
		}),
	}
	for _, reason := range catalog.PushRejections() {
		m.rejected.WithLabelValues(reason)
	}
	m.requests.WithLabelValues("200")
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	buckets, err := o.Store.Buckets(ctx)
	if err != nil {
		return nil, fmt.Errorf("metrics of the buckets: %w", err)
	}
	for _, b := range buckets {
		m.bucket(b.Name)
	}
	kept := &storeCollector{store: o.Store, now: o.Now, failed: func(err error) { o.Logger.Warn("Asking the store for its metrics failed", "err", err) }}
	for _, c := range []prometheus.Collector{m.requests, m.rejected, m.stored, m.duplicates, m.refused, m.bytes, m.duration, kept} {
		if err := o.Registry.Register(c); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// bucket makes the series of a bucket, so that their first rise is seen.
func (m *metrics) bucket(name string) {
	m.stored.WithLabelValues(name)
	m.duplicates.WithLabelValues(name)
	for _, reason := range catalog.Refusals() {
		m.refused.WithLabelValues(name, reason)
	}
}

// Stored counts records that came to the store in another way than by a push.
func (s *Server) Stored(bucket string, stored, duplicates int) {
	s.metrics.stored.WithLabelValues(bucket).Add(float64(stored))
	s.metrics.duplicates.WithLabelValues(bucket).Add(float64(duplicates))
}

func metric(name string) catalog.Metric {
	m, _ := catalog.Lookup(name) // a test holds that all are there
	return m
}

func help(name string) string { return metric(name).Help }

func counters(name string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help(name)}, metric(name).LabelNames())
}

func description(name string) *prometheus.Desc {
	return prometheus.NewDesc(name, help(name), metric(name).LabelNames(), nil)
}

// storeCollector tells what the store holds. Scrapes that come close together
// share an answer; what can not be read is absent.
type storeCollector struct {
	store  Store
	now    func() time.Time
	failed func(error)

	mu     sync.Mutex
	asked  time.Time
	states map[sessionstore.State]int
	fresh  []sessionstore.Group
}

// Describe is part of prometheus.Collector.
func (c *storeCollector) Describe(ch chan<- *prometheus.Desc) {
	ch <- description(catalog.ServerStoreSize)
	ch <- description(catalog.ServerExceptionGroups)
	ch <- description(catalog.ServerNewExceptionGroup)
}

// Collect is part of prometheus.Collector.
func (c *storeCollector) Collect(ch chan<- prometheus.Metric) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := c.now(); now.Sub(c.asked) > askAgain || now.Before(c.asked) {
		c.asked = now
		c.ask(now)
	}
	ch <- prometheus.MustNewConstMetric(description(catalog.ServerStoreSize), prometheus.GaugeValue, float64(c.store.Size()))
	for _, state := range sessionstore.States() {
		if c.states != nil {
			ch <- prometheus.MustNewConstMetric(description(catalog.ServerExceptionGroups), prometheus.GaugeValue, float64(c.states[state]), string(state))
		}
	}
	for _, g := range c.fresh {
		ch <- prometheus.MustNewConstMetric(description(catalog.ServerNewExceptionGroup), prometheus.GaugeValue, 1,
			g.Bucket, g.Namespace, g.App, g.ID, string(g.State), title(g.Title))
	}
}

func (c *storeCollector) ask(now time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), askTimeout)
	defer cancel()
	c.states, c.fresh = nil, nil
	states, err := c.store.GroupStates(ctx)
	if err != nil {
		c.failed(err)
		return
	}
	c.states = states
	// A group that is new was seen first, and one that regressed changed, within
	// the time that is asked for: more than the last seen is not needed.
	groups, err := c.store.Groups(ctx, sessionstore.GroupQuery{
		States: []sessionstore.State{sessionstore.StateNew, sessionstore.StateRegressed}, Since: now.Add(-newGroupFor), Limit: 10 * maxNewGroups,
	})
	if err != nil {
		c.failed(err)
		return
	}
	for _, g := range groups {
		since := g.FirstSeen
		if g.State == sessionstore.StateRegressed {
			since = g.Changed
		}
		if now.Sub(since) < newGroupFor && len(c.fresh) < maxNewGroups {
			c.fresh = append(c.fresh, g)
		}
	}
}

// title is the beginning of a group's title, in one line.
func title(text string) string {
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
	letters := []rune(text)
	if len(letters) > maxTitle {
		return string(letters[:maxTitle-1]) + "…"
	}
	return text
}
