package logql_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
)

// parsed is the labels that a line has behind a stage.
func parsed(t *testing.T, line, stage string) map[string]string {
	t.Helper()
	expr, err := logql.Parse(`{bucket="b"} | ` + stage)
	if err != nil {
		t.Fatal(err)
	}
	source := sourcetest.New()
	source.Add(labels.FromStrings("bucket", "b"), 1, line)
	result, err := newEngine(t, source).Range(context.Background(), expr, logql.Params{End: 2, Limit: 1, Step: 1})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, s := range result.Streams {
		for _, p := range s.Parsed {
			out[p.Name] = p.Value
		}
	}
	return out
}

// reference flattens what encoding/json read of an object.
func reference(object json.RawMessage, prefix string, depth int, out map[string]string) {
	d := json.NewDecoder(strings.NewReader(string(object)))
	_, _ = d.Token() // the beginning
	for d.More() {
		key, _ := d.Token()
		var value json.RawMessage
		_ = d.Decode(&value)
		name := prefix + labelName(key.(string), prefix == "")
		switch value[0] {
		case '{':
			if depth < 64 {
				reference(value, name+"_", depth+1, out)
			}
		case '[', 'n':
		default:
			text := string(value)
			if value[0] == '"' {
				_ = json.Unmarshal(value, &text)
			}
			if name == "bucket" {
				name = "bucket_extracted"
			}
			if _, known := out[name]; !known && name != "" {
				out[name] = text
			}
		}
	}
}

func labelName(key string, first bool) string {
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, strings.TrimSpace(key))
	if first && name != "" && name[0] >= '0' && name[0] <= '9' {
		name = "_" + name
	}
	return name
}

// FuzzJSON: of each JSON object the labels are those that encoding/json would
// make, and nothing that is no JSON hangs or panics.
func FuzzJSON(f *testing.F) {
	for _, line := range []string{
		`{"a":1,"b":{"c":"x\ny","d":[1,{"e":"]"}],"é 1":true},"a":2,"bucket":"z","n":null,"":"e","1":-1.5e3}`,
		`{ "a" : "\ud83d\ude00\ud800" , "b" : { } }`, `{"a":[[[{"b":"}"}]]]}`, `{"a":tru}`, `{"a"1}`, `{,}`, `{"a":1,}`, `{"a":"`, `{"a":"\`,
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		got := parsed(t, line, "json")
		parsed(t, line, `json x="a.b[0].c", y="[1]"`)
		trimmed := strings.TrimLeft(line, " \t\r\n")
		if !json.Valid([]byte(line)) || trimmed[0] != '{' || strings.Contains(line, "__error") {
			return
		}
		want := map[string]string{}
		reference(json.RawMessage(trimmed), "", 1, want)
		for name, value := range want {
			if got[name] != value {
				t.Errorf("%s is %q, want %q", name, got[name], value)
			}
		}
		if len(got) != len(want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

func TestJSONPaths(t *testing.T) {
	line := `{"a":{"b.c":[1,{"d":"x"}],"e":{"f":[]}},"a":"second","g":null} and more`
	for path, want := range map[string]string{
		`a["b.c"][0]`: "1", `a["b.c"][1].d`: "x", `["a"]["e"]`: `{"f":[]}`, `a.e.f[0]`: "", `g`: "", `none.x`: "", `a["b.c"]`: `[1,{"d":"x"}]`,
	} {
		got := parsed(t, line, "json x=`"+path+"`")
		if value, ok := got["x"]; !ok || value != want || got["__error__"] != "" {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	if got := parsed(t, `{"a":1,"b":`, `json b="b"`); got["__error__"] != "JSONParserErr" {
		t.Errorf("got %q", got)
	}
}
