package lokiapi_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
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
