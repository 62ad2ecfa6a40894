package exporter

import (
	"slices"
	"strings"

	dto "github.com/prometheus/client_model/go"
)

// Labels are the label pairs of a sample, sorted by name; nil is none. They
// are made once and shared between samples and scrapes, so they are never
// changed.
type Labels = *labelSet

type labelSet struct {
	pairs []*dto.LabelPair
	text  string // the pairs as text formats have them
}

// labels makes Labels of names and values in turn.
func labels(namesAndValues ...string) Labels {
	return Labels(nil).with(namesAndValues...)
}

// with returns the labels and more of them.
func (l *labelSet) with(namesAndValues ...string) Labels {
	var out labelSet
	if l != nil {
		out.pairs = l.pairs
	}
	out.pairs = slices.Grow(slices.Clip(out.pairs), len(namesAndValues)/2)
	for i := 0; i+1 < len(namesAndValues); i += 2 {
		out.pairs = append(out.pairs, &dto.LabelPair{Name: &namesAndValues[i], Value: &namesAndValues[i+1]})
	}
	slices.SortFunc(out.pairs, func(a, b *dto.LabelPair) int { return strings.Compare(*a.Name, *b.Name) })
	out.text = spellLabels(out.pairs)
	return &out
}

// each returns the labels once for each value of one more label.
func (l *labelSet) each(name string, values []string) []Labels {
	out := make([]Labels, len(values))
	for i, v := range values {
		out[i] = l.with(name, v)
	}
	return out
}

// labelCache keeps Labels by key and forgets those that a scrape did not use.
type labelCache[K comparable, V any] struct {
	make    func(K) V
	entries map[K]*cached[V]
	round   uint64
}

type cached[V any] struct {
	value V
	round uint64
}

func newLabelCache[K comparable, V any](create func(K) V) *labelCache[K, V] {
	return &labelCache[K, V]{make: create, entries: map[K]*cached[V]{}}
}

func (c *labelCache[K, V]) get(key K) V {
	e, ok := c.entries[key]
	if !ok {
		e = &cached[V]{value: c.make(key)}
		c.entries[key] = e
	}
	e.round = c.round
	return e.value
}

// sweep ends a round: what it did not use is dropped.
func (c *labelCache[K, V]) sweep() {
	for k, e := range c.entries {
		if e.round != c.round {
			delete(c.entries, k)
		}
	}
	c.round++
}
