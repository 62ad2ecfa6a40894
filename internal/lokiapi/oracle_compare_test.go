//go:build oracle

package lokiapi_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// normal makes of an answer what has to be the same: maps of labels to lines or
// samples, without statistics, and without orders that mean nothing.
func normal(status int, body []byte) any {
	if status != 200 {
		return fmt.Sprint("status ", status)
	}
	var whole map[string]any
	if err := json.Unmarshal(body, &whole); err != nil {
		return "no JSON: " + string(body)
	}
	data, ok := whole["data"].(map[string]any)
	if !ok {
		if list, isList := whole["data"].([]any); isList {
			slices.SortFunc(list, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
			return list
		}
		if whole["data"] == nil {
			return []any{} // Loki leaves empty lists out
		}
		return whole["data"]
	}
	blind(data["result"])
	out := map[string]any{"type": data["resultType"], "flags": data["encodingFlags"]}
	if data["resultType"] == "scalar" {
		out["value"] = data["result"]
		return out
	}
	result, _ := data["result"].([]any)
	for _, each := range result {
		s := each.(map[string]any)
		switch {
		case s["stream"] != nil:
			addLines(out, s)
		case s["value"] != nil:
			out[text(s["metric"])] = s["value"]
		default:
			out[text(s["metric"])] = s["values"]
		}
	}
	return out
}

// blind takes out what an error says in words: they are our own.
func blind(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "__error_details__")
		for _, each := range v {
			blind(each)
		}
	case []any:
		for _, each := range v {
			blind(each)
		}
	}
}

// addLines merges streams with the same labels; lines at the same time have no
// order.
func addLines(out map[string]any, s map[string]any) {
	key := text(s["stream"])
	lines, _ := out[key].([]any)
	lines = append(lines, s["values"].([]any)...)
	slices.SortStableFunc(lines, func(a, b any) int { return cmp.Compare(text(a), text(b)) })
	out[key] = lines
}

func text(v any) string {
	b, _ := json.Marshal(v) // has been JSON
	return string(b)
}

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
