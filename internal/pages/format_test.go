package pages

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for ids, want := range map[string]string{
		"": "", "7": "7", "0 1": "0, 1", "0 1 2": "0–2", "0 1 2 5": "0–2, 5", "3 9 10 11 12 40": "3, 9–12, 40",
		"1 3 5 7 9 11": "1, 3, 5, 7, …", "x y": "x, y",
	} {
		if got := span(strings.Fields(ids)); got != want {
			t.Errorf("span(%q) = %q, want %q", ids, got, want)
		}
	}
}

func TestFigures(t *testing.T) {
	tests := []struct{ got, want string }{
		{memoryText(0), ""},
		{memoryText(3.25 * (1 << 20)), "3.2 MiB"},
		{memoryText(96 << 20), "96 MiB"},
		{memoryText(1 << 30), "1.0 GiB"},
		{percent(0), "0%"},
		{percent(0.004), "0.4%"},
		{percent(0.116), "12%"},
		{percent(3.4), "340%"},
		{figure(123456789), "123456789"},
		{figure(0.1 + 0.2), "0.3"},
		{figure(math.NaN()), "NaN"},
		{figure(math.Inf(-1)), "-Inf"},
		{figure(1e-9), "1e-09"},
		{axis(12), "12"},
		{axis(48_318_382), "48.32M"},
		{axis(25_000), "25k"},
	}
	for _, test := range tests {
		if test.got != test.want {
			t.Errorf("got %q, want %q", test.got, test.want)
		}
	}
}

func TestDuration(t *testing.T) {
	tests := []struct {
		d      time.Duration
		en, zh string
	}{
		{-time.Second, "0s", "0秒"},
		{999 * time.Millisecond, "0s", "0秒"},
		{59 * time.Second, "59s", "59秒"},
		{3*time.Minute + 4*time.Second, "3m 4s", "3分钟4秒"},
		{12*time.Minute + 4*time.Second, "12m", "12分钟"},
		{time.Hour, "1h", "1小时"},
		{time.Hour + time.Minute + time.Second, "1h 1m", "1小时1分钟"},
		{24*time.Hour + 59*time.Minute, "1d", "1天"},
		{75 * time.Hour, "3d 3h", "3天3小时"},
	}
	for _, test := range tests {
		if en, zh := (language{"en"}).Duration(test.d), (language{"zh"}).Duration(test.d); en != test.en || zh != test.zh {
			t.Errorf("%s = %q, %q, want %q, %q", test.d, en, zh, test.en, test.zh)
		}
	}
}
