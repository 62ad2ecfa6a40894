package message

import (
	"runtime"
	"strings"
	"testing"
)

// A few bytes for each of many alerts take no memory of many.
func TestParseIsBounded(t *testing.T) {
	body := []byte(`{"alerts": [` + strings.Repeat("{},", 2_000_000) + `{}]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := Parse(body)
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "more than 20000 alerts: set max_alerts") {
		t.Error(err)
	}
	if took := after.TotalAlloc - before.TotalAlloc; took > 64<<20 {
		t.Errorf("%d MiB of memory for a body of %d", took>>20, len(body)>>20)
	}
	for _, bad := range []string{`{"alerts": {}}`, `{"alerts": null}`, `{"alerts": "x"}`, `{"alerts": [{"labels": []}]}`} {
		if _, err := Parse([]byte(bad)); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
	if n, err := Parse([]byte(`{"alerts": [` + strings.Repeat("{},", MaxAlerts-1) + `{}]}`)); err != nil || n.Count() != MaxAlerts {
		t.Errorf("%d %v", n.Count(), err)
	}
}
