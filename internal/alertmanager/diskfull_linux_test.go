package alertmanager

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/disktest"
)

// With a full disk alerts are told and silences hold, also after a start; when
// there is room again, all is written down.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 128<<10, func(dir string) {
		h := newHook(t)
		first := start(t, dir, quick(t, h.URL, "group_by: [n]"))
		first.post(t, alertOf("a", time.Hour))
		h.expect(t, "firing a")
		disktest.Fill(t, filepath.Join(dir, "full"))
		mute := func(r *running, name string) {
			t.Helper()
			_, err := r.AddSilence(t.Context(), Silence{Matchers: []Matcher{{Name: "n", Value: name}}, EndsAt: time.Now().Add(time.Hour), CreatedBy: "me", Comment: strings.Repeat("x", 8<<10)})
			ok(t, err)
		}
		mute(first, "b")
		mute(first, "c")
		first.post(t, alertOf("b", time.Hour), alertOf("d", time.Hour))
		h.expect(t, "firing a", "firing d")
		if n := first.metric(t, "pm25_alertmanager_journal_failures_total"); n < 2 {
			t.Errorf("%v failures", n)
		}
		if logged := strings.Count(first.logs.String(), "of=silences"); logged != 1 {
			t.Errorf("logged %d times: %s", logged, first.logs)
		}
		ok(t, first.Close(t.Context()))

		again := newHook(t)
		second := start(t, dir, quick(t, again.URL, "group_by: [n]"))
		mute(second, "e")
		second.post(t, alertOf("a", time.Hour), alertOf("e", time.Hour), alertOf("f", time.Hour))
		again.expect(t, "firing f")
		ok(t, os.Remove(filepath.Join(dir, "full")))
		for _, j := range second.journals {
			j.wake <- struct{}{}
			until(t, "all on disk", func() bool { return !j.due() })
		}
		last := start(t, second.killed(t), quick(t, newHook(t).URL))
		silences, err := last.Silences(t.Context())
		if err != nil || len(silences) != 1 || silences[0].Matchers[0].Value != "e" {
			t.Errorf("silences %+v, %v", silences, err)
		}
	})
}
