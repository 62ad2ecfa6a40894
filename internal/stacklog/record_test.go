package stacklog_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/fingerprint"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/scrub"
	"github.com/pm25/pm25/internal/stack"
	"github.com/pm25/pm25/internal/stacklog"
)

// TestFoundMakesARecord: whatever is found passes as a record that a server takes.
func TestFoundMakesARecord(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	s, err := scrub.New(scrub.Options{})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	taken := 0
	take := func(f stacklog.Found) {
		e := &record.ExceptionInfo{
			Name: f.Name, Code: f.Code, Message: f.Message, Stack: f.Stack, Causes: f.Causes,
			Frames: stack.Parse(f.Stack, "/srv/shop"), Mechanism: record.Logged,
		}
		fingerprint.Fill("shop", e)
		r := &record.Record{
			V: record.Version, ID: record.NewID(f.At), At: f.At.UnixNano(), Kind: record.Exception, Host: "web-1", Daemon: "pm2", Namespace: "default",
			App: "shop", Level: record.LevelError, Source: record.FromLog, Exception: e,
		}
		s.Record(r)
		if refusal := r.Check(now); refusal != nil {
			t.Errorf("%s: %s", f.Message, refusal.Error)
		}
		if strings.Contains(r.Line(), "[redacted") {
			t.Errorf("no secret is in %s", r.Line())
		}
		taken++
	}
	for _, file := range files {
		log, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r, err := stacklog.New(stacklog.Options{Emit: take})
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.SplitSeq(string(log), "\n") {
			r.Line([]byte(line), now)
		}
		r.End()
	}
	if taken < 30 {
		t.Errorf("%d were found", taken)
	}
}
