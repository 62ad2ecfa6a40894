//go:build linux

package main

import (
	"os"
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	values := []time.Duration{40, 10, 30, 20}
	for q, want := range map[float64]time.Duration{0: 10, 0.5: 25, 1: 40} {
		if got := quantile(values, q); got != want {
			t.Errorf("%v: %d, want %d", q, got, want)
		}
	}
	if quantile(nil, 0.5) != 0 || mean(nil) != 0 {
		t.Error("nothing is not 0")
	}
}

func TestCPUMeter(t *testing.T) {
	m := newCPUMeter(os.Getpid())
	before, err := m.read()
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); time.Since(began) < 50*time.Millisecond; {
	}
	after, err := m.read()
	if err != nil || after-before < time.Millisecond || after-before > 10*time.Second {
		t.Errorf("%v more, %v", after-before, err)
	}
}

func TestReport(t *testing.T) {
	ms := time.Millisecond
	r := &result{
		n: 50, agent: cost{[]time.Duration{2 * ms}, []time.Duration{ms}}, changed: cost{[]time.Duration{3 * ms}, []time.Duration{8 * ms}},
		pm2metrics: cost{[]time.Duration{20 * ms}, []time.Duration{10 * ms}}, bare: cost{[]time.Duration{ms}, []time.Duration{4 * ms}},
		memory: [3]memory{ours: {rss: 21 << 20}, peer: {rss: 84 << 20}},
	}
	text := (&report{results: []*result{r}}).markdown()
	for _, want := range []string{
		"| 2.00 + 1.00 | 3.00 + 8.00 | 20.00 + 10.00 | 0.10 | 0.37 |",
		"daemon included | 0.10 | yes |", "20 MiB resident | 21.0 | **no** |", "three times the floor | 0.60 | yes |", "| 0.25 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
}
