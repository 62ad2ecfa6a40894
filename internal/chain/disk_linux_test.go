//go:build chain

package chain

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/disktest"
	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/promtest"
	"github.com/pm25/pm25/internal/simagent"
	"github.com/pm25/pm25/internal/uptest"
)

const diskSize = 200 << 20

// TestDiskFull fills the disk under a `pm25 up` to the last byte, at once. It
// has to say so, to go on serving, to take samples again when there is room, and
// to find all that it took after a restart.
func TestDiskFull(t *testing.T) {
	disk := disktest.Mount(t, diskSize)
	_, targets := simagent.Start(t, 5, 20)
	hook := uptest.NewWebhook(t)
	u := uptest.Start(t, uptest.Options{
		Program: programs.Program(t, "pm25"), DataDir: filepath.Join(disk, "data"), Webhook: hook.URL, Args: []string{"--targets=" + targets},
	})
	u.WaitValue(20*time.Second, 5, `count(pm2_up{daemon="deploy"} == 1)`)
	pause(t.Context(), 30*time.Second)
	began := time.Now()
	ballast := filepath.Join(disk, "ballast")
	disktest.Fill(t, ballast)
	t.Logf("the disk is full")
	pm2test.Eventually(t, 15*time.Second, func() error { return saysFull(u) })
	told := time.Since(began)
	pause(t.Context(), 90*time.Second) // the storage writes once a minute
	if err := saysFull(u); err != nil {
		t.Errorf("later: %v", err)
	}
	if err := serves(u); err != nil {
		t.Errorf("on a full disk: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	freed := time.Now()
	pm2test.Eventually(t, 30*time.Second, func() error {
		age, err := u.Value(`time() - max(timestamp(pm2_up{daemon="deploy"}))`)
		if err == nil && age > 6 {
			err = fmt.Errorf("the last sample is %v s old", age)
		}
		return err
	})
	again := time.Since(freed)
	if _, body, err := u.Get("/metrics"); err != nil || !strings.Contains(body, "pm25_storage_low_disk 0") {
		t.Errorf("there is room, and it says: %v, %s", err, grep(body, "pm25_storage"))
	}
	pause(t.Context(), 20*time.Second)

	const selector = `{daemon="deploy",host="web-03",__name__=~"pm2_up|pm2_app_exits_total|pm2_process_cpu_seconds_total"}`
	before := stored(t, u, selector, time.Now())
	at := time.Now()
	u.Stop()
	u.Again()
	u.Ready()
	after := stored(t, u, selector, at)
	lost, n := compare(before, after)
	if lost > 0 || n < 1000 {
		t.Errorf("%d of %d samples are not there after a restart", lost, n)
	}
	_, body, err := u.Get("/metrics")
	for _, want := range []string{"prometheus_tsdb_wal_corruptions_total 0", "pm25_storage_low_disk 0"} {
		if err != nil || !strings.Contains(body, want) {
			t.Errorf("after a restart: no %q: %v, %s", want, err, grep(body, "corruptions"))
		}
	}
	table := doctable.New("", "measured")
	table.Add("told on the page, in the log and on /metrics after, s", told.Seconds())
	table.Add("samples taken again after room was made, s", again.Seconds())
	table.Add("samples before a restart", n)
	table.Add("of them missing after it", lost)
	doc.Write(t, "disk", table)
}

// saysFull tells whether page, log and metric say that the disk is full.
func saysFull(u *uptest.Up) error {
	_, page, err := u.Get("/")
	if err != nil {
		return err
	}
	_, metrics, err := u.Get("/metrics")
	switch {
	case err != nil:
		return err
	case !strings.Contains(metrics, "pm25_storage_low_disk 1"):
		return errors.New("the metric does not say it")
	case !strings.Contains(u.Log(), "disk is nearly full"):
		return errors.New("the log does not say it")
	case !strings.Contains(page, u.DataDir):
		return fmt.Errorf("the page does not say it: %.2000s", page)
	}
	return nil
}

// serves asks for all that does not need room.
func serves(u *uptest.Up) error {
	for _, path := range []string{"/", "/alertmanager/", "/metrics", "/-/ready", "/prometheus/api/v1/query?query=up", "/alertmanager/api/v2/alerts"} {
		if code, body, err := u.Get(path); err != nil || code != http.StatusOK {
			return fmt.Errorf("%s: %d, %w: %.200s", path, code, err, body)
		}
	}
	if n, err := u.Value(`count(last_over_time(pm2_up{daemon="deploy"}[5m]))`); err != nil || n != 5 {
		return fmt.Errorf("a query gives %v, %w", n, err)
	}
	return nil
}

func grep(text, word string) string {
	var out []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, word) && !strings.HasPrefix(line, "#") {
			out = append(out, strings.TrimSpace(line))
		}
	}
	return strings.Join(out, "; ")
}

// stored returns the samples of the last ten minutes before a time.
func stored(t *testing.T, u *uptest.Up, selector string, at time.Time) []promtest.Series {
	t.Helper()
	series, err := u.Prometheus().Query(t.Context(), selector+"[10m]", at)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

// compare counts the samples, and those that are not in the second answer.
func compare(before, after []promtest.Series) (lost, n int) {
	has := map[string]bool{}
	for _, s := range after {
		for _, p := range s.Samples {
			has[fmt.Sprint(s.Labels, p)] = true
		}
	}
	for _, s := range before {
		for _, p := range s.Samples {
			n++
			if !has[fmt.Sprint(s.Labels, p)] {
				lost++
			}
		}
	}
	return lost, n
}
