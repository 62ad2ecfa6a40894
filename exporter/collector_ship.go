package exporter

import (
	"time"

	"github.com/pm25/pm25/internal/catalog"
)

// Shipping is how records fare on their way to the server. Counts are since the
// agent started; their keys are values of the catalog's labels.
type Shipping struct {
	SpoolBytes, SpoolMaxBytes int64
	SpoolRecords              uint64
	SpoolOldest               time.Time // zero: there is none
	WriteFailures             uint64
	Damaged                   map[string]uint64 // bytes by cause

	Queued          int
	Records         map[string]uint64 // by kind
	Acknowledged    map[string]uint64 // by result
	Receipts        uint64
	LastReceipt     time.Time            // zero: there was none
	Retries         map[string]uint64    // by reason
	Dropped         map[[2]string]uint64 // by kind and reason
	DeadLetters     map[string]uint64    // by reason
	DeadLetterBytes int64
}

// shippingFacts exposes Shipping. A nil one exposes nothing.
type shippingFacts struct {
	ask     func() Shipping
	started time.Time

	damaged, records, acknowledged, retries, letters counted
	dropped                                          map[[2]string]Labels
}

// counted are the series of a counter with one label.
type counted struct {
	metric string
	values []string
	labels []Labels
}

func newCounted(metric, label string, values []string) counted {
	return counted{metric, values, Labels(nil).each(label, values)}
}

func newShippingFacts(ask func() Shipping, now time.Time) *shippingFacts {
	if ask == nil {
		return nil
	}
	f := &shippingFacts{
		ask: ask, started: now, dropped: map[[2]string]Labels{},
		damaged:      newCounted(catalog.SpoolDamaged, "cause", catalog.DamageCauses()),
		records:      newCounted(catalog.ShipRecords, "kind", catalog.RecordKinds()),
		acknowledged: newCounted(catalog.ShipAcknowledged, "result", catalog.ShipResults()),
		retries:      newCounted(catalog.ShipRetries, "reason", catalog.ShipFailures()),
		letters:      newCounted(catalog.ShipDeadLetters, "reason", catalog.DeadLetterReasons()),
	}
	for _, kind := range catalog.RecordKinds() {
		for _, reason := range catalog.ShipDropReasons() {
			f.dropped[[2]string{kind, reason}] = labels("kind", kind, "reason", reason)
		}
	}
	return f
}

func (f *shippingFacts) collect(out *Sink) {
	if f == nil {
		return
	}
	s := f.ask()
	out.Gauge(catalog.SpoolBytes, float64(s.SpoolBytes), nil)
	out.Gauge(catalog.SpoolMaxBytes, float64(s.SpoolMaxBytes), nil)
	out.Gauge(catalog.SpoolRecords, float64(s.SpoolRecords), nil)
	f.time(out, catalog.SpoolOldest, s.SpoolOldest)
	out.Counter(catalog.SpoolWriteFailures, float64(s.WriteFailures), f.started, nil)
	out.Gauge(catalog.ShipQueued, float64(s.Queued), nil)
	out.Counter(catalog.ShipReceipts, float64(s.Receipts), f.started, nil)
	f.time(out, catalog.ShipLastReceipt, s.LastReceipt)
	out.Gauge(catalog.ShipDeadLetterBytes, float64(s.DeadLetterBytes), nil)
	f.count(out, &f.damaged, s.Damaged)
	f.count(out, &f.records, s.Records)
	f.count(out, &f.acknowledged, s.Acknowledged)
	f.count(out, &f.retries, s.Retries)
	f.count(out, &f.letters, s.DeadLetters)
	// All of them, so that the first drop is an increase.
	for _, kind := range f.records.values {
		for _, reason := range catalog.ShipDropReasons() {
			key := [2]string{kind, reason}
			out.Counter(catalog.ShipDropped, float64(s.Dropped[key]), f.started, f.dropped[key])
		}
	}
}

func (f *shippingFacts) count(out *Sink, c *counted, n map[string]uint64) {
	for i, v := range c.values {
		out.Counter(c.metric, float64(n[v]), f.started, c.labels[i])
	}
}

func (f *shippingFacts) time(out *Sink, metric string, at time.Time) {
	if !at.IsZero() {
		out.Gauge(metric, float64(at.UnixMilli())/1000, nil)
	}
}
