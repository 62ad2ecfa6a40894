package jsonscan

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/iotest"
)

func TestRaw(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"a":[1,{"b":"]}\"\\"}],"c":null}`, `{"a":[1,{"b":"]}\"\\"}],"c":null}`},
		{`[]`, `[]`},
		{`"x\"y"`, `"x\"y"`},
		{`-12.5e3`, `-12.5e3`},
		{`true`, `true`},
		{`"` + strings.Repeat("x", 50) + `"`, ``},
		{`[[[[1]]]]`, ``},
		{`{"a":"` + strings.Repeat(`\"`, 30) + `"}`, ``},
	} {
		s := New()
		s.Reset(iotest.OneByteReader(strings.NewReader(c.in + ` 7`)))
		got, err := s.Raw(40, 3)
		if err != nil || string(got) != c.want {
			t.Errorf("Raw(%s) = %q, %v", c.in, got, err)
		}
		if v, ok, err := s.Float(); v != 7 || !ok || err != nil {
			t.Errorf("after %s: %v, %v, %v", c.in, v, ok, err)
		}
	}
}

func TestTail(t *testing.T) {
	long := strings.Repeat("a line\n", 10_000) + `the "last" one\` + "\n订单"
	for _, in := range []string{"", "x", "two\nlines", long} {
		quoted, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		s := New()
		s.Reset(strings.NewReader(string(quoted) + ` 7`))
		into := make([]byte, 0, 2*64)
		raw, cut, lines, err := s.Tail(into, 64)
		inside := string(quoted[1 : len(quoted)-1])
		want := inside[max(0, len(inside)-64):]
		if err != nil || string(raw) != want || cut != (len(inside) > 64) || lines != strings.Count(in, "\n") {
			t.Errorf("Tail(%.20q…) = %q, %v, %d lines, %v; want %q", in, raw, cut, lines, err, want)
		}
		if v, ok, err := s.Float(); v != 7 || !ok || err != nil {
			t.Errorf("after %.20q: %v, %v, %v", in, v, ok, err)
		}
	}
}

func FuzzRawAndTail(f *testing.F) {
	f.Add(`{"a":[1,"x\"y"]}`, `a\nb`)
	f.Fuzz(func(t *testing.T, value, text string) {
		s := New()
		s.Reset(iotest.HalfReader(strings.NewReader(value)))
		raw, err := s.Raw(100, 5)
		var want json.RawMessage
		if json.Unmarshal([]byte(value), &want) == nil && len(want) <= 64 && strings.Count(value, "{")+strings.Count(value, "[") <= 5 {
			if err != nil || string(raw) != strings.TrimSpace(string(want)) && !strings.ContainsAny(value, " \n\t\r") {
				t.Fatalf("Raw(%q) = %q, %v", value, raw, err)
			}
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			return
		}
		s.Reset(iotest.HalfReader(strings.NewReader(string(quoted))))
		tail, cut, lines, err := s.Tail(make([]byte, 0, 2*32), 32)
		if inside := string(quoted[1 : len(quoted)-1]); err != nil || !strings.HasSuffix(inside, string(tail)) || cut != (len(tail) < len(inside)) || lines != strings.Count(text, "\n") {
			t.Fatalf("Tail(%s) = %q, %v, %d, %v", quoted, tail, cut, lines, err)
		}
	})
}
