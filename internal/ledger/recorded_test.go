package ledger_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/pm2fake"
)

// TestRecordedReportsAddUp: what real processes said comes to the sum of what
// each of them said last.
func TestRecordedReportsAddUp(t *testing.T) {
	files, err := filepath.Glob("../pm2/testdata/ext/*.jsonl")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	for _, name := range files {
		if strings.HasPrefix(filepath.Base(name), "socket-") {
			continue
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var frames bytes.Buffer
		last := map[string]float64{}
		for line := range bytes.Lines(data) {
			var m struct {
				Topic   string
				Payload struct {
					Data struct {
						PID  int
						HTTP struct{ Series [][]any }
					}
				}
			}
			var raw struct{ Payload json.RawMessage }
			if err := json.Unmarshal(line, &m); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(line, &raw); err != nil {
				t.Fatal(err)
			}
			for _, s := range m.Payload.Data.HTTP.Series {
				last[fmt.Sprint(m.Payload.Data.PID, s[0], s[1], s[2])] = s[3].(float64)
			}
			frames.Write(pm2fake.Frame(pm2fake.Text(m.Topic), pm2fake.JSON(string(raw.Payload))))
		}
		var want, got float64
		for _, n := range last {
			want += n
		}
		l := ledger.New(time.Unix(1e9, 0))
		now := time.Now()
		_ = pm2.NewBus(&frames).Read(func(ev *pm2.Event) {
			if err := l.Report(ev, now); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			l.Event(ev, now)
		}, func(err error) { t.Errorf("%s: %v", name, err) })
		for _, app := range l.Save().Apps {
			for _, s := range app.Series {
				got += float64(s.Count)
			}
		}
		if got != want {
			t.Errorf("%s: %v requests, want %v", name, got, want)
		}
	}
}
