package exporter

import (
	"strings"
	"testing"
	"time"
)

// The agent's time is that of the scrape, with milliseconds.
func TestAgentTime(t *testing.T) {
	daemons, source := twoDaemons(t)
	e := newExporter(t, daemons, source)
	at := time.Unix(1_800_000_000, 0)
	e.opts.Now = func() time.Time { return at }
	for _, want := range []string{"1.8e+09", "1.80000009025e+09"} {
		if got := text(t, e.Gather(t.Context(), []string{"daemon"})); !strings.Contains(got, "\npm25_agent_time_seconds "+want+"\n") {
			t.Errorf("no %s in %s", want, got)
		}
		at = at.Add(90*time.Second + 250*time.Millisecond)
	}
}
