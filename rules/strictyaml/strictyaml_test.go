package strictyaml

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
)

type setting struct {
	Name  string            `yaml:"name"`
	On    bool              `yaml:"on"`
	Size  float64           `yaml:"size"`
	For   *model.Duration   `yaml:"for"`
	Many  texts             `yaml:"many"`
	List  []string          `yaml:"list"`
	Inner *inner            `yaml:"inner"`
	Map   map[string]inner  `yaml:"map"`
	All   []inner           `yaml:"all"`
	Few   map[string]string `yaml:"few"`
}

type inner struct {
	Key string `yaml:"key"`
}

// texts may be one.
type texts []string

func (s *texts) UnmarshalYAML(unmarshal func(any) error) error {
	var one string
	if unmarshal(&one) == nil {
		*s = texts{one}
		return nil
	}
	return unmarshal((*[]string)(s))
}

func TestDecode(t *testing.T) {
	minute := model.Duration(60e9)
	s := setting{Name: "kept", Size: 3, List: []string{"old"}}
	_, err := Decode([]byte("on: true\nsize: 1e3\nfor: 1m\nmany: a\nlist: [b]\ninner: {key: 7}\nmap: {x: {key: y}, z: }\nall: [{key: k}]\n"), &s)
	want := setting{Name: "kept", On: true, Size: 1000, For: &minute, Many: texts{"a"}, List: []string{"b"}, Inner: &inner{"7"}, Map: map[string]inner{"x": {"y"}, "z": {}}, All: []inner{{"k"}}}
	if err != nil || !reflect.DeepEqual(s, want) {
		t.Errorf("%+v, %v\nwant %+v", s, err, want)
	}
	for _, empty := range []string{"", "# nothing\n", "---\n"} {
		if _, err := Decode([]byte(empty), &s); err != nil || !reflect.DeepEqual(s, want) {
			t.Errorf("%q: %+v, %v", empty, s, err)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for text, want := range map[string]string{
		"name: a\nnam: hunter2":        "line 2: nam: there is no such key; did you mean name? known here: name, on, size, for, ",
		"inner: {kee: hunter2}":        "line 1: inner.kee: there is no such key; did you mean key? known here: key",
		"all:\n- key: a\n- x: b":       "line 3: all[1].x: there is no such key; known here: key",
		"on: hunter2":                  "line 1: on: write true or false",
		"size: hunter2":                "line 1: size: write a number",
		"size: '7'":                    "line 1: size: write a number",
		"size:":                        "line 1: size: write a number",
		"for: hunter2":                 "line 1: for: write a time, as in 30s, 5m or 4h",
		"for: [5m]":                    "line 1: for: write a time",
		"many: {a: hunter2}":           "line 1: many: a list is expected here, as in [one, other]",
		"many: [{a: hunter2}]":         "line 1: many[0]: one text is expected here",
		"list: hunter2":                "line 1: list: a list is expected here, as in [one, other]",
		"all: [hunter2]":               "line 1: all[0]: keys with values are expected here, as in {key: …}",
		"map: [hunter2]":               "line 1: map: keys with values are expected here, as in {name: …}",
		"list: [a, ~]":                 "line 1: list[1]: the item is empty",
		"name: !!binary aHVudGVyMg==":  "line 1: name: one text is expected here",
		"name: bad hunter2":            "line 1: name: it is bad",
		"few: {a: bad}":                "line 1: few.a: it is bad",
		"name: a\nname: hunter2":       "line 2: name: it is there twice: remove one",
		"name: &a hunter2":             "line 1: name: anchors and aliases",
		"<<: {name: hunter2}":          "line 1: the file: a key is expected to be a plain name",
		"a: b\n---\nc: d":              "it has more than one document; remove what follows the line ---",
		"name: 'hunter2":               "it is no YAML as it stands",
		"hunter2":                      "line 1: the file: keys with values are expected here, as in {name: …}",
		strings.Repeat("#", MaxFile+1): "at most 1048576 are taken",
	} {
		var s setting
		_, err := Decode([]byte(text), &s, func(text string) string {
			if strings.HasPrefix(text, "bad") {
				return "it is bad"
			}
			return ""
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v\nwant %s", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: a value is told: %v", text, err)
		}
	}
}

// TestDocument: what a caller finds wrong is told with its line, or that of what it
// would be in.
func TestDocument(t *testing.T) {
	var s setting
	d, err := Decode([]byte("name: a\nall:\n- key: b\n"), &s)
	if err != nil || d.Err() != nil {
		t.Fatal(err, d.Err())
	}
	d.Wrong("all[0].key", "it is %s", "b")
	d.Wrong("all[0].other.key", "it is missing")
	d.Wrong("inner.key", "it is missing")
	d.Add(errors.New("and all the rest"))
	if got, want := d.Err().Error(), "line 3: all[0].key: it is b\nline 3: all[0].other.key: it is missing\nline 1: inner.key: it is missing\nand all the rest"; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	for range 9 {
		d.Wrong("name", "no")
	}
	if got := d.Err().Error(); strings.Count(got, "\n") != maxErrors || !strings.HasSuffix(got, "\nand 3 more") {
		t.Error(got)
	}
	var none Document
	none.Wrong("name", "no")
	if got := none.Err().Error(); got != "name: no" {
		t.Error(got)
	}
}

func TestIn(t *testing.T) {
	if got := In("--flag", "f.yml", errors.New("a\nb")).Error(); got != "--flag f.yml: a\n--flag f.yml: b" {
		t.Error(got)
	}
	file := filepath.Join(t.TempDir(), "none.yml")
	_, err := os.ReadFile(file)
	if got := In("--flag", file, err); got.Error() != "--flag "+file+": no such file or directory" || !errors.Is(got, os.ErrNotExist) {
		t.Error(got)
	}
}

func TestKnown(t *testing.T) {
	var many []string
	for c := 'a'; c < 'z'; c++ {
		many = append(many, strings.Repeat(string(c), 5))
	}
	for _, c := range []struct {
		name  string
		known []string
		want  string
	}{
		{"lang", []string{"language", "job"}, "did you mean language? known here: language, job"},
		{"xyz", []string{"language", "job"}, "known here: language, job"},
		{"aaaab", many, "did you mean aaaaa?"},
		{"xyz", many, "known here: " + strings.Join(many, ", ")},
	} {
		if got := Known(c.name, c.known); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := Closest("a", nil) + Closest(strings.Repeat("a", 300), []string{"a"}); got != "" {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{"name: a\nfor: 5m\nmany: [a]", "all: &a [*a]", "? [a]\n: b", "%YAML 1.2\n---\n", "size: .nan", "map: {a: {key: b}}"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var s setting
		if _, err := Decode([]byte(text), &s); err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Error("an error without a word")
		}
	})
}
