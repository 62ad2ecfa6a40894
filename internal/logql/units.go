package logql

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// parseDuration reads a duration as Prometheus writes it ("1d", "5m30s") or as
// Go does ("1.5h", "300µs").
func parseDuration(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	d, err := model.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is no duration", clip(s, 40))
	}
	return time.Duration(d), nil
}

// formatDuration writes d so that parseDuration reads the same.
func formatDuration(d time.Duration) string {
	if d >= 0 && d%time.Millisecond == 0 {
		return model.Duration(d).String()
	}
	return d.String()
}

// Sizes by their unit in lower case: of ten, and of two with an i.
var sizes = map[string]float64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "pb": 1e15, "eb": 1e18,
	"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12, "p": 1e15, "e": 1e18,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40, "pib": 1 << 50, "eib": 1 << 60,
	"ki": 1 << 10, "mi": 1 << 20, "gi": 1 << 30, "ti": 1 << 40, "pi": 1 << 50, "ei": 1 << 60,
}

// parseBytes reads a size such as "42MB", "1.5 KiB" or "300".
func parseBytes(s string) (uint64, error) {
	end := 0
	for end < len(s) && (isDigit(s[end]) || s[end] == '.' || s[end] == ',') {
		end++
	}
	n, err := strconv.ParseFloat(strings.ReplaceAll(s[:end], ",", ""), 64)
	unit, known := sizes[strings.ToLower(strings.TrimSpace(s[end:]))]
	if err != nil || !known {
		return 0, fmt.Errorf("%q is no size", clip(s, 40))
	}
	if n *= unit; n >= math.MaxUint64 {
		return 0, fmt.Errorf("%q is too large a size", clip(s, 40))
	}
	return uint64(n), nil
}
