//go:build oracle

package lokiapi_test

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// same compares two normal answers; numbers may differ by rounding.
func same(a, b any) bool {
	switch a := a.(type) {
	case map[string]any:
		other, ok := b.(map[string]any)
		if !ok || len(a) != len(other) {
			return false
		}
		for k, v := range a {
			w, ok := other[k]
			if !ok || !same(v, w) {
				return false
			}
		}
		return true
	case []any:
		other, ok := b.([]any)
		return ok && slices.EqualFunc(a, other, same)
	case float64:
		other, ok := b.(float64)
		return ok && near(a, other)
	case string:
		other, ok := b.(string)
		return ok && (a == other || sameNumber(a, other))
	}
	return a == b
}

func sameNumber(a, b string) bool {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && !strings.HasPrefix(a, "1") && near(x, y) || errX == nil && errY == nil && len(a) < 19 && near(x, y)
}

func near(a, b float64) bool {
	return a == b || math.IsNaN(a) && math.IsNaN(b) || math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b))
}

// difference says where two normal answers are not the same.
func difference(loki, ours any) string {
	a, isMap := loki.(map[string]any)
	b, both := ours.(map[string]any)
	if !isMap || !both {
		return fmt.Sprintf("Loki: %.600s\nours: %.600s", text(loki), text(ours))
	}
	var out strings.Builder
	for k, v := range a {
		if w, ok := b[k]; !ok || !same(v, w) {
			fmt.Fprintf(&out, "\nLoki: %s: %.300s", k, text(v))
		}
	}
	for k, v := range b {
		if w, ok := a[k]; !ok || !same(v, w) {
			fmt.Fprintf(&out, "\nours: %s: %.300s", k, text(v))
		}
	}
	return out.String()
}
