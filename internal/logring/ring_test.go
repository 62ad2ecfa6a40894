package logring

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/record"
)

var at = time.Unix(1, 5)

func ring(t testing.TB, o Options) *Ring {
	t.Helper()
	r, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func show(lines []record.LogLine) string {
	texts := make([]string, len(lines))
	for i, l := range lines {
		texts[i] = l.Stream[:1] + ":" + l.Text
	}
	return strings.Join(texts, "|")
}

func TestLines(t *testing.T) {
	r := ring(t, Options{Lines: 4, Line: 10, Bytes: 30})
	steps := []struct{ stream, chunk, want string }{
		{Out, "a\nb", "o:a|o:b"},
		{Err, "x\r\n", "o:a|e:x|o:b"},
		{Out, "c\n\n", "o:a|e:x|o:bc|o:"},
		{Err, "y\nz\n", "o:bc|o:|e:y|e:z"},
		{Out, "一二三四五六\n", "o:|e:y|e:z|o:一二三"},
		{Out, "0123456789\n0123456789\n0123456789\n", "o:0123456789|o:0123456789|o:0123456789"},
		{Out, "0123", "o:0123456789|o:0123456789|o:0123456789|o:0123"},
		{Out, strings.Repeat("4", 1000), "o:0123456789|o:0123456789|o:0123456789|o:0123444444"},
		{Out, "5\nnext\n", "o:0123456789|o:0123444444|o:next"},
		{Out, "\xff\x00!\n", "o:0123456789|o:0123444444|o:next|o:\uFFFD\uFFFD!"},
	}
	for _, s := range steps {
		r.Add(s.stream, []byte(s.chunk), at)
		if got := show(r.Last(10)); got != s.want {
			t.Logf("all: %q", r.buf)
			t.Fatalf("after %q: %s, want %s", s.chunk, got, s.want)
		}
	}
	if got := show(r.Last(1)); got != "o:\uFFFD\uFFFD!" {
		t.Errorf("the last: %s", got)
	}
	if r.Last(0) == nil || len(r.Last(0))+len(r.Last(-1)) != 0 {
		t.Error("the last 0 are some")
	}
	if l := r.Last(1)[0]; l.At != at.UnixNano() {
		t.Errorf("at %d", l.At)
	}
	r.Add(Err, []byte("half"), at)
	r.End()
	r.Add(Err, []byte("new\n"), at)
	if got := show(r.Last(2)); got != "e:half|e:new" {
		t.Errorf("after the end: %s", got)
	}
}

func TestLongLineIsOne(t *testing.T) {
	r := ring(t, Options{Lines: 4, Line: 10, Bytes: 30})
	for range 100 {
		r.Add(Err, []byte("abcdefg"), at)
	}
	r.Add(Err, []byte("\nb\n"), at)
	if got := show(r.Last(4)); got != "e:abcdefgabc|e:b" {
		t.Errorf("lines: %s", got)
	}
}

func TestBadOptions(t *testing.T) {
	for _, o := range []Options{{}, {Lines: 1, Line: 1}, {Line: 1, Bytes: 1}, {Lines: 1, Line: 2, Bytes: 1}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v is taken", o)
		}
	}
	ring(t, Defaults())
}

// TestMemory: what is allocated stays within the bounds, and none is in the end.
func TestMemory(t *testing.T) {
	o := Defaults()
	r := ring(t, o)
	chunk := []byte(strings.Repeat("the quick brown fox\n", 50) + strings.Repeat("x", 3000) + "\nhalf")
	for range 100 {
		r.Add(Out, chunk, at)
		r.Add(Err, chunk, at)
	}
	if cap(r.buf) > 3*o.Bytes || cap(r.parts[0].text) > 4*o.Line {
		t.Errorf("%d and %d bytes are allocated", cap(r.buf), cap(r.parts[0].text))
	}
	if n := testing.AllocsPerRun(100, func() { r.Add(Out, chunk, at); r.Add(Err, chunk, at) }); n > 0 {
		t.Errorf("%.0f allocations", n)
	}
}

func FuzzAdd(f *testing.F) {
	f.Add([]byte("a\nb\xe4\xb8"), []byte("\xad\r\n\n"), 3, 5, 9)
	f.Fuzz(func(t *testing.T, a, b []byte, lines, line, size int) {
		r, err := New(Options{Lines: lines % 50, Line: line % 100, Bytes: size % 1000})
		if err != nil {
			return
		}
		for i := range 5 {
			r.Add([]string{Out, Err}[i%2], a, at)
			r.Add(Err, b, at)
		}
		total := 0
		got := r.Last(1000)
		for _, l := range got {
			total += len(l.Text)
			if !utf8.ValidString(l.Text) || len(l.Text) > r.o.Line || strings.ContainsAny(l.Text, "\n\x00") {
				t.Fatalf("line %q", l.Text)
			}
		}
		if len(got) > r.o.Lines+2 || r.kept > r.o.Bytes || len(r.buf) > 2*r.o.Bytes {
			t.Fatalf("%d lines of %d bytes in %d", len(got), total, len(r.buf))
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{20, 200, 4000} {
		b.Run(fmt.Sprintf("lines of %d bytes", size), func(b *testing.B) {
			r := ring(b, Defaults())
			chunk := []byte(strings.Repeat(strings.Repeat("x", size-1)+"\n", max(1, 4096/size)))
			b.SetBytes(int64(len(chunk)))
			b.ReportAllocs()
			for b.Loop() {
				r.Add(Out, chunk, at)
			}
		})
	}
}
