//go:build oracle

package lokiapi_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// logcli runs Loki's command line and returns what it prints, line by line; of
// lines at the same time the order means nothing.
func logcli(t *testing.T, base string, args ...string) []string {
	t.Helper()
	program := os.Getenv("LOGCLI")
	if program == "" {
		t.Fatal("LOGCLI has to name the program: make loki-conformance does")
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, append([]string{"--addr=" + base, "--quiet"}, args...)...)
	cmd.Env = append(os.Environ(), "TZ=UTC")
	said, err := cmd.CombinedOutput()
	if err != nil {
		said = append(said, err.Error()...)
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	slices.Sort(lines)
	return lines
}

func TestLogcliPrintsTheSame(t *testing.T) {
	w := newWorld(t)
	moment := func(d time.Duration) string { return w.start.Add(d).UTC().Format(time.RFC3339Nano) }
	span := []string{"--from=" + moment(0), "--to=" + moment(20*time.Minute)}
	for _, args := range [][]string{
		append([]string{"labels"}, span...),
		append([]string{"labels", "app"}, span...),
		append([]string{"series", `{bucket="main"}`}, span...),
		append([]string{"query", `{app="shop"}`, "--limit=1000"}, span...),
		append([]string{"query", `{app="api"}`, "--limit=1000", "--batch=7", "-o", "raw"}, span...),
		append([]string{"query", `{app="api"}`, "--limit=1000", "--batch=7", "--forward", "-o", "raw"}, span...),
		append([]string{"query", `{bucket="main"}`, "--limit=100", "--batch=30", "--forward", "-o", "raw"}, span...),
		append([]string{"query", `{app="cart"} | logfmt | status >= 400`, "-o", "jsonl", "--limit=50"}, span...),
		append([]string{"query", `{app="shop", kind="event"} | json | line_format "{{.n}} {{.took}}"`, "--limit=50"}, span...),
		append([]string{"query", `sum by (app) (count_over_time({bucket="main"}[1m]))`, "--step=60s"}, span...),
		append([]string{"query", `quantile_over_time(0.9, {app="cart"} | unwrap seconds [5m]) by (code)`, "--step=60s"}, span...),
		{"instant-query", `topk(2, sum by (app) (bytes_over_time({bucket="main"}[5m])))`, "--now=" + moment(20*time.Minute)},
		{"instant-query", `vector(1)+vector(1)`, "--now=" + moment(20*time.Minute)},
	} {
		t.Run(strings.Join(args[:2], " "), func(t *testing.T) {
			loki, ours := logcli(t, w.loki, args...), logcli(t, w.ours, args...)
			for _, lines := range [][]string{loki, ours} {
				for i := range lines {
					lines[i] = strings.NewReplacer(w.loki, "ADDRESS", w.ours, "ADDRESS").Replace(lines[i])
				}
			}
			if len(loki) < 2 && loki[0] == "" {
				t.Error("logcli printed nothing")
			}
			if !slices.Equal(loki, ours) {
				t.Errorf("%q\nLoki:\n%.1500s\nours:\n%.1500s", args, strings.Join(loki, "\n"), strings.Join(ours, "\n"))
			}
		})
	}
}

// TestLogcliTails follows our API until a line comes.
func TestLogcliTails(t *testing.T) {
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Getenv("LOGCLI"), "--addr="+w.ours, "--quiet", "query", `{app="live"}`, "--tail", "-o", "raw")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer cancel()
	w.memory.Add(labels.FromStrings("app", "live"), time.Now().UnixNano(), "it happens now")
	said := make([]byte, 100)
	n, err := out.Read(said)
	if err != nil || strings.TrimSpace(string(said[:n])) != "it happens now" {
		t.Errorf("%q, %v", said[:n], err)
	}
}
