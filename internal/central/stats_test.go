package central

import (
	"context"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/record"
)

// TestFamiliesAreThereFromTheStart: all of the catalog, but those whose label is a
// bucket, a group or a kind that is not known yet.
func TestFamiliesAreThereFromTheStart(t *testing.T) {
	c := open(t)
	registry := c.opts.Registry.(*prometheus.Registry)
	later := map[string]bool{
		catalog.ServerNewExceptionGroup: true, catalog.ServerRecordsStored: true, catalog.ServerRecordsDuplicate: true, catalog.ServerRecordsRefused: true,
	}
	there := values(t, registry)
	for _, m := range catalog.Server().Metrics {
		if _, ok := there[m.Name]; !ok && !later[m.Name] {
			t.Errorf("%s is not there", m.Name)
		}
	}
	if _, _, err := c.Store().CreateBucket(context.Background(), "shop"); err != nil {
		t.Fatal(err)
	}
	l := c.NewLocal(record.Agent{Host: "web-1"})
	l.Offer(event("paid"))
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if there := values(t, registry); there[catalog.ServerRecordsStored] != 1 {
		t.Errorf("%v records are counted as stored, want 1", there[catalog.ServerRecordsStored])
	}
}

// values sums each family of the server.
func values(t *testing.T, registry *prometheus.Registry) map[string]float64 {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "pm25_server_") {
			continue
		}
		out[f.GetName()] = 0
		for _, m := range f.Metric {
			out[f.GetName()] += m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	return out
}
