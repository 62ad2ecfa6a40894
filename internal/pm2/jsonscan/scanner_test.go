package jsonscan

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// doc is what the tests pick out of an object.
type doc struct {
	name   string
	count  float64
	hasNum bool
	list   []string
	lines  int
}

func scan(r io.Reader) (d doc, err error) {
	s := New()
	s.Reset(r)
	err = s.Object(func(key []byte) error {
		switch string(key) {
		case "name":
			text, err := s.Text(1 << 20)
			d.name = string(text)
			return err
		case "count":
			var err error
			d.count, d.hasNum, err = s.Float()
			return err
		case "list":
			return s.Array(func() error {
				text, err := s.Text(100)
				d.list = append(d.list, string(text))
				return err
			})
		case "log":
			var err error
			d.lines, err = s.Lines()
			return err
		}
		return nil
	})
	return d, err
}

func TestScannerPicksAllowedFields(t *testing.T) {
	const input = ` { "env" : {"SECRET":"a\"}]\\", "deep":[[{"x":[]}]], "name":"wrong"},
		"name":"a\u00e9\ud83d\ude00\n\"\/", "n":-1.5e3, "t":true, "z":null,
		"count":"12.5", "list":["x", 2, false, null, {"name":"no"}, ["no"]], "log":"a\nb\n\\n", "e":{}, "f":[] } `
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r },
		"bytes": iotest.OneByteReader,
	} {
		t.Run(name, func(t *testing.T) {
			d, err := scan(wrap(strings.NewReader(input)))
			if err != nil {
				t.Fatal(err)
			}
			if d.name != "aé😀\n\"/" || d.count != 12.5 || !d.hasNum || d.lines != 2 {
				t.Errorf("got %+v", d)
			}
			if got := strings.Join(d.list, "|"); got != "x|2|false|||" {
				t.Errorf("list = %q", got)
			}
		})
	}
}

func TestScannerTakesEveryFieldOfAnyType(t *testing.T) {
	for _, value := range []string{`"x"`, `1`, `-0.5e-7`, `true`, `null`, `{}`, `{"a":[1]}`, `[]`, `[{"b":2},"]"]`} {
		for _, key := range []string{"name", "count", "list", "log", "other"} {
			d, err := scan(strings.NewReader(`{"` + key + `":` + value + `,"name":"after"}`))
			if err != nil || d.name != "after" {
				t.Errorf("%s = %s: name %q, error %v", key, value, d.name, err)
			}
		}
	}
}

func TestScannerReportsBrokenInput(t *testing.T) {
	for _, input := range []string{``, `{`, `{"name"`, `{"name":`, `{"name":"x`, `{"name":"x"`, `{"env":{"a":"b"`, `{"name":"\u12`} {
		if _, err := scan(strings.NewReader(input)); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%q: error %v, want unexpected EOF", input, err)
		}
	}
	for _, input := range []string{`{name:1}`, `{"a" 1}`, `{"a":1 "b":2}`, `{"a":}`, `x`, `{"name":"\uzzzz"}`} {
		if _, err := scan(strings.NewReader(input)); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q: error %v, want ErrSyntax", input, err)
		}
	}
}

func TestTextIsCutAtARune(t *testing.T) {
	s := New()
	s.Reset(strings.NewReader(`"` + strings.Repeat("订", 100) + `\n\"" 7`))
	text, err := s.Text(10)
	if err != nil || string(text) != "订订订" {
		t.Fatalf("Text(10) = %q, %v", text, err)
	}
	if v, ok, err := s.Float(); v != 7 || !ok || err != nil {
		t.Fatalf("the value after a cut string = %v %v %v", v, ok, err)
	}
}

func TestWipeLeavesNothing(t *testing.T) {
	s := New()
	s.Reset(strings.NewReader(`{"env":{"TOKEN":"hunter2"},"name":"hunter2"}`))
	if err := s.Object(func(key []byte) error {
		if string(key) != "name" {
			return nil
		}
		_, err := s.Text(100)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	s.Wipe()
	if strings.Contains(string(s.buf)+string(s.scratch[:cap(s.scratch)])+string(s.key[:]), "hunter2") {
		t.Fatal("the value is still in memory after Wipe")
	}
}

// FuzzScanner compares with encoding/json on valid input, and demands an end
// without a panic on any other.
func FuzzScanner(f *testing.F) {
	f.Add(`{"name":"x","count":1,"list":["a"],"log":"b\n"}`)
	f.Add(`{"env":{"a":"\\\""},"name":"\ud83d\ude00"}`)
	f.Add(`{"name":"\ud83dx","list":[1,null,{}]}`)
	f.Fuzz(func(t *testing.T, input string) {
		got, err := scan(iotest.HalfReader(strings.NewReader(input)))
		var want map[string]json.RawMessage
		if !utf8.ValidString(input) || json.Unmarshal([]byte(input), &want) != nil || want == nil {
			return
		}
		if strings.Count(input, "{")+strings.Count(input, "[") > maxDepth || duplicates(input) {
			return
		}
		if err != nil {
			t.Fatalf("valid JSON refused: %v", err)
		}
		var name string
		if raw, ok := want["name"]; ok && json.Unmarshal(raw, &name) == nil && name != got.name {
			t.Fatalf("name = %q, want %q", got.name, name)
		}
		var count float64
		if raw, ok := want["count"]; ok && json.Unmarshal(raw, &count) == nil && string(raw) != "null" && len(raw) < 60 && !math.IsInf(count, 0) {
			if got.count != count {
				t.Fatalf("count = %v, want %v", got.count, count)
			}
		}
	})
}

// duplicates is true when a wanted key may occur twice, where the last wins
// in one decoder and the outer one in the other.
func duplicates(input string) bool {
	lower := strings.ToLower(input)
	return strings.Count(lower, `name`) > 1 || strings.Count(lower, `count`) > 1 || strings.Contains(lower, `\u00`)
}

func BenchmarkSkip(b *testing.B) {
	input := `{"env":{"PATH":"` + strings.Repeat("/usr/local/bin:", 100) + `"},"name":"x"}`
	s := New()
	r := strings.NewReader(input)
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		r.Reset(input)
		s.Reset(r)
		if err := s.Object(func([]byte) error { return nil }); err != nil {
			b.Fatal(err)
		}
	}
}
