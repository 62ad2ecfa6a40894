package sourcemap

import (
	"encoding/base64"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

const root = "/srv/shop"

// files opens those of a tree as if it stood at root, and notes what was asked for.
type files struct {
	tree  fs.FS
	asked []string
	reads int
}

type counted struct {
	fs.File
	f *files
}

func (c counted) Read(p []byte) (int, error) {
	c.f.reads++
	return c.File.Read(p)
}

func (f *files) open(path string) (fs.File, error) {
	f.asked = append(f.asked, path)
	below, ok := strings.CutPrefix(path, root+"/")
	if !ok {
		return nil, fs.ErrNotExist
	}
	file, err := f.tree.Open(below)
	if err != nil {
		return nil, err
	}
	return counted{file, f}, nil
}

func mapper(t testing.TB, f *files, o Options) *Mapper {
	t.Helper()
	o.Open = f.open
	m, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func recorded(t testing.TB, name string) []record.Frame {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return stack.Parse(string(text), root)
}

var placesOnly = cmpopts.IgnoreFields(record.Frame{}, "Before", "Text", "After")

// TestCompilers: whatever compiled it, a stack comes out as Node itself maps it.
func TestCompilers(t *testing.T) {
	want := recorded(t, "expected")
	for i := range want {
		want[i].Function = strings.TrimPrefix(want[i].Function, "<anonymous>")
	}
	for _, kind := range []string{"tsc", "esbuild", "nocomment", "swc"} {
		t.Run(kind, func(t *testing.T) {
			m := mapper(t, &files{tree: os.DirFS("testdata/app")}, Options{})
			was := recorded(t, kind)
			before := append([]record.Frame(nil), was...)
			got, mapped := m.Map(root, was)
			if !mapped {
				t.Fatal("no map applied")
			}
			for i := range got {
				got[i].Function = strings.Replace(got[i].Function, "n.payNow", "Checkout.payNow", 1) // a class is not named where it is called
			}
			if diff := cmp.Diff(want, got, placesOnly, cmpopts.IgnoreFields(record.Frame{}, "Column")); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before, was); diff != "" {
				t.Errorf("what was given changed: %s", diff)
			}
			top := got[0]
			if top.Text != "  const amount = item.price!.amount;" || len(top.Before) != record.MaxAround || len(top.After) != 2 || top.Before[1] != "  return items.reduce((sum, item) => sum + priceOf(item), 0);" {
				t.Errorf("lines: %q %q %q", top.Before, top.Text, top.After)
			}
			if got[2].Text != "" || got[3].Before[4] != "export function cartTotal(items: Item[]): number {" || got[3].Before[3] != "// 合计：价格之和" {
				t.Errorf("lines of others: %q, %q", got[2].Text, got[3].Before)
			}
		})
	}
}

// TestOlderTarget: a map within the script, with the helpers of async functions.
func TestOlderTarget(t *testing.T) {
	m := mapper(t, &files{tree: os.DirFS("testdata/app")}, Options{})
	got, mapped := m.Map(root, recorded(t, "inline"))
	if !mapped || got[0].File != "src/cart.ts" || got[0].Line != 12 || got[3].Line != 8 || got[4].File != "src/main.ts" || got[4].Line != 8 {
		t.Errorf("frames: %+v", got)
	}
}

// TestPlacesAreExact compares columns too, with the compiler that keeps them all.
func TestPlacesAreExact(t *testing.T) {
	m := mapper(t, &files{tree: os.DirFS("testdata/app")}, Options{})
	got, _ := m.Map(root, recorded(t, "tsc"))
	want := recorded(t, "expected")
	for i := range got {
		if got[i].Line != want[i].Line || got[i].Column != want[i].Column {
			t.Errorf("%d: %d:%d, want %d:%d", i, got[i].Line, got[i].Column, want[i].Line, want[i].Column)
		}
	}
}

const script = "x()\ny()\n"

func frame(file string, line, column int) []record.Frame {
	return []record.Frame{{Function: "f", File: file, Line: line, Column: column, InApp: true}}
}

func tree(texts map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range texts {
		out[name] = &fstest.MapFile{Data: []byte(text), ModTime: time.Unix(1, 0)}
	}
	return out
}

// oneToOne maps line 1 to line 1 of the first source, line 2 to line 2.
const oneToOne = "AAAA;AACA"

func TestWhereMapsAre(t *testing.T) {
	mapOf := func(source string) string {
		return fmt.Sprintf(`{"version":3,"sources":[%q],"sourcesContent":["one\ntwo"],"names":[],"mappings":%q}`, source, oneToOne)
	}
	inline := base64.StdEncoding.EncodeToString([]byte(mapOf("in.ts")))
	tests := []struct {
		name  string
		files map[string]string
		want  string // "" for not mapped
	}{
		{"beside, by a comment", map[string]string{"d/x.js": script + "//# sourceMappingURL=y.map", "d/y.map": mapOf("../a.ts")}, "a.ts"},
		{"beside, without one", map[string]string{"d/x.js": script, "d/x.js.map": mapOf("a.ts")}, "d/a.ts"},
		{"the comment leads to nothing", map[string]string{"d/x.js": script + "//# sourceMappingURL=z.map", "d/x.js.map": mapOf("a.ts")}, "d/a.ts"},
		{"in another folder", map[string]string{"d/x.js": script + "/*# sourceMappingURL=../maps/x%20y.map */", "maps/x y.map": mapOf("../src/a.ts")}, "src/a.ts"},
		{"the old comment", map[string]string{"d/x.js": script + "//@ sourceMappingURL=y.map", "d/y.map": mapOf("a.ts")}, "d/a.ts"},
		{"the last comment counts", map[string]string{"d/x.js": "'//# sourceMappingURL=no.map'\n" + script + "//# sourceMappingURL=y.map\n", "d/y.map": mapOf("a.ts")}, "d/a.ts"},
		{"within the script", map[string]string{"d/x.js": script + "//# sourceMappingURL=data:application/json;charset=utf-8;base64," + inline}, "d/in.ts"},
		{"within the script, escaped", map[string]string{"d/x.js": script + "//# sourceMappingURL=data:application/json,%7B%22version%22:3,%22sources%22:[%22in.ts%22],%22mappings%22:%22AAAA;AACA%22%7D"}, "d/in.ts"},
		{"webpack", map[string]string{"d/x.js": script, "d/x.js.map": mapOf("webpack://shop/./src/a.ts?1f2e")}, "src/a.ts"},
		{"absolute", map[string]string{"d/x.js": script, "d/x.js.map": mapOf("/srv/shop/src/a.ts")}, "src/a.ts"},
		{"as a URL", map[string]string{"d/x.js": script, "d/x.js.map": mapOf("file:///srv/shop/src/a.ts")}, "src/a.ts"},
		{"with a root", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":3,"sourceRoot":"../src/","sources":["a.ts"],"mappings":"AAAA;AACA"}`}, "src/a.ts"},
		{"guarded", map[string]string{"d/x.js": script, "d/x.js.map": ")]}'\n" + mapOf("a.ts")}, "d/a.ts"},
		{"sections", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.ts"],"mappings":"AAAA"}},{"offset":{"line":1,"column":0},"map":{"version":3,"sources":["b.ts"],"mappings":"AACA"}}]}`}, "d/b.ts"},
		{"outside of the folder", map[string]string{"d/x.js": script + "//# sourceMappingURL=../../../etc/passwd"}, ""},
		{"elsewhere", map[string]string{"d/x.js": script + "//# sourceMappingURL=https://shop.cn/x.map"}, ""},
		{"no JSON", map[string]string{"d/x.js": script, "d/x.js.map": "<html>"}, ""},
		{"another version", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":2,"sources":["a.ts"],"mappings":"AAAA;AACA"}`}, ""},
		{"sections in sections", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":3,"sections":[{"offset":{"line":0,"column":0},"map":{"version":3,"sections":[]}}]}`}, ""},
		{"a source that is not there", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":3,"sources":[],"mappings":"AAAA;AACA"}`}, ""},
		{"broken mappings", map[string]string{"d/x.js": script, "d/x.js.map": `{"version":3,"sources":["a.ts"],"mappings":"!!;AACA"}`}, ""},
		{"no script", map[string]string{"d/x.js.map": mapOf("a.ts")}, ""},
		{"none", map[string]string{"d/x.js": script}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := &files{tree: tree(test.files)}
			m := mapper(t, f, Options{})
			for range 2 { // the second time from the cache
				got, mapped := m.Map(root, frame("d/x.js", 2, 1))
				if mapped != (test.want != "") || mapped && (got[0].File != test.want || got[0].Line != 2) {
					t.Errorf("mapped = %t to %s:%d, want %s:2", mapped, got[0].File, got[0].Line, test.want)
				}
			}
			for _, path := range f.asked {
				if !strings.HasPrefix(path, root+"/") || filepath.Clean(path) != path {
					t.Errorf("%s was opened", path)
				}
			}
		})
	}
}

// TestOnlyBelowTheRoot: a stack may name any file, and a map any source.
func TestOnlyBelowTheRoot(t *testing.T) {
	f := &files{tree: tree(map[string]string{"x.js": script, "x.js.map": `{"version":3,"sources":["../../etc/passwd"],"mappings":"AAAA;AACA"}`})}
	m := mapper(t, f, Options{})
	for _, file := range []string{"/etc/passwd", "../../etc/passwd", "/srv/shop/../x.js", "/srv/shop-2/x.js", "node:fs", "a\x00b", "", "https://shop.cn/x.js", "."} {
		if _, mapped := m.Map(root, frame(file, 1, 1)); mapped {
			t.Errorf("%q was mapped", file)
		}
	}
	got, mapped := m.Map(root, frame("x.js", 2, 1))
	if !mapped || got[0].File != "/etc/passwd" && got[0].File != "/srv/etc/passwd" && !strings.HasSuffix(got[0].File, "etc/passwd") || got[0].Text != "" {
		t.Errorf("mapped to %+v", got[0])
	}
	for _, bad := range []string{"", "/", ".", "srv"} {
		if got, mapped := m.Map(bad, frame("x.js", 2, 1)); mapped || len(got) != 1 {
			t.Errorf("root %q is taken", bad)
		}
	}
	for _, path := range f.asked {
		if !strings.HasPrefix(path, root+"/") {
			t.Errorf("%s was opened", path)
		}
	}
}

// TestNotTheApps: packages are not mapped, nor is what a map says is one read.
func TestNotTheApps(t *testing.T) {
	m := mapper(t, &files{tree: tree(map[string]string{"x.js": script, "x.js.map": `{"version":3,"sources":["node_modules/p/i.js"],"sourcesContent":["one\ntwo"],"mappings":"AAAA;AACA"}`})}, Options{})
	got, mapped := m.Map(root, frame("x.js", 2, 1))
	if !mapped || got[0].InApp || got[0].Text != "" {
		t.Errorf("a package's: %+v", got[0])
	}
	others := frame("x.js", 2, 1)
	others[0].InApp = false
	if _, mapped := m.Map(root, others); mapped {
		t.Error("mapped, though not the app's")
	}
}

// TestLinesWithoutAMap: source that runs as it was written has lines too.
func TestLinesWithoutAMap(t *testing.T) {
	long := strings.Repeat("长", 500) + "here" + strings.Repeat("x", 500)
	m := mapper(t, &files{tree: tree(map[string]string{"x.js": "one\r\ntwo\r\nthree", "y.js": long, "z.js": ""})}, Options{})
	got, mapped := m.Map(root, frame("x.js", 2, 1))
	if mapped || got[0].Text != "two" || !cmp.Equal(got[0].Before, []string{"one"}) || !cmp.Equal(got[0].After, []string{"three"}) {
		t.Errorf("lines: %+v", got[0])
	}
	got, _ = m.Map(root, frame("y.js", 1, 1503))
	if text := got[0].Text; len(text) > record.MaxSource || !utf8.ValidString(text) || !strings.Contains(text, "here") {
		t.Errorf("a long line: %q", text)
	}
	for _, line := range []int{4, 1 << 30} {
		if got, _ := m.Map(root, frame("x.js", line, 1)); got[0].Text != "" || got[0].Before != nil {
			t.Errorf("line %d: %+v", line, got[0])
		}
	}
	many := make([]record.Frame, record.MaxFrames)
	for i := range many {
		many[i] = frame("x.js", 2, 1)[0]
	}
	got, _ = m.Map(root, many)
	if got[maxContext-1].Text == "" || got[maxContext].Text != "" {
		t.Error("not the first calls have lines")
	}
}

func TestCache(t *testing.T) {
	texts := map[string]string{"x.js": script, "x.js.map": `{"version":3,"sources":["a.ts"],"sourcesContent":["one\ntwo"],"mappings":"AAAA;AACA"}`}
	all := tree(texts)
	f := &files{tree: all}
	m := mapper(t, f, Options{})
	m.Map(root, frame("x.js", 2, 1))
	reads := f.reads
	m.Map(root, frame("x.js", 2, 1))
	if f.reads != reads {
		t.Errorf("%d more reads of what is known", f.reads-reads)
	}
	all["x.js.map"] = &fstest.MapFile{Data: []byte(strings.Replace(texts["x.js.map"], "a.ts", "b.ts", 1)), ModTime: time.Unix(2, 0)}
	if got, _ := m.Map(root, frame("x.js", 2, 1)); got[0].File != "b.ts" {
		t.Errorf("a map that changed: %s", got[0].File)
	}
	small := mapper(t, f, Options{MaxCache: 1000})
	for i := range 50 {
		name := fmt.Sprintf("%d.js", i)
		all[name] = &fstest.MapFile{Data: []byte(strings.Repeat("a\n", i))}
		small.Map(root, frame(name, 2, 1))
	}
	if small.c.used > 1000 || small.c.used < 100 || len(small.c.byPath) != small.c.order.Len() {
		t.Errorf("%d bytes are kept, in %d and %d entries", small.c.used, len(small.c.byPath), small.c.order.Len())
	}
	capped := mapper(t, f, Options{MaxFile: 10})
	if _, mapped := capped.Map(root, frame("x.js", 2, 1)); mapped {
		t.Error("a file over the limit was read")
	}
	if _, err := New(Options{}); err == nil {
		t.Error("nothing to open with is fine")
	}
}

// TestSections: two scripts put together, the second from the middle of a line on.
func TestSections(t *testing.T) {
	const text = `{"version":3,"sections":[
		{"offset":{"line":0,"column":0},"map":{"version":3,"sources":["a.ts"],"mappings":"AAAA,EACA"}},
		{"offset":{"line":0,"column":10},"map":{"version":3,"sources":["b.ts"],"names":["n"],"mappings":"AAAA,EACA;AACCA"}}]}`
	m := mapper(t, &files{tree: tree(map[string]string{"x.js": script, "x.js.map": text})}, Options{})
	for _, test := range []struct {
		line, column int
		want         string
	}{
		{1, 1, "a.ts:1:1"},
		{1, 2, "a.ts:1:1"},
		{1, 3, "a.ts:2:1"},
		{1, 10, "a.ts:2:1"},
		{1, 11, "b.ts:1:1"},
		{1, 12, "b.ts:1:1"},
		{1, 13, "b.ts:2:1"},
		{2, 1, "b.ts:3:2"},
		{2, 100, "b.ts:3:2"},
		{3, 1, "x.js:3:1"},
	} {
		got, _ := m.Map(root, frame("x.js", test.line, test.column))
		if is := fmt.Sprintf("%s:%d:%d", got[0].File, got[0].Line, got[0].Column); is != test.want {
			t.Errorf("%d:%d is %s, want %s", test.line, test.column, is, test.want)
		}
	}
}

// TestHostile: maps that are made to cost.
func TestHostile(t *testing.T) {
	many := func(one string, n int) string { return strings.Repeat(one+",", n) + one }
	for name, text := range map[string]string{
		"names":       `{"version":3,"sources":["a.ts"],"names":[` + many(`""`, 2*maxNames) + `],"mappings":"AAAA;AACA"}`,
		"sources":     `{"version":3,"sources":[` + many(`""`, 2*maxSources) + `],"mappings":"AAAA;AACA"}`,
		"contents":    `{"version":3,"sources":["a.ts"],"sourcesContent":[` + many(`null`, 100) + `],"mappings":"AAAA;AACA"}`,
		"sections":    `{"version":3,"sections":[` + many(`{"offset":{"line":0,"column":0},"map":{"version":3}}`, 2*maxSections) + `]}`,
		"backwards":   `{"version":3,"sections":[{"offset":{"line":9,"column":0},"map":{"version":3}},{"offset":{"line":1,"column":0},"map":{"version":3,"sources":["a.ts"],"mappings":"AACA"}}]}`,
		"deep":        strings.Repeat(`{"sections":[`, 20000),
		"numbers":     `{"version":3,"sources":["a.ts"],"mappings":"AAAA;A//////////////AAA"}`,
		"negative":    `{"version":3,"sources":["a.ts"],"mappings":"AAAA;DDDD"}`,
		"many fields": `{"version":3,"sources":["a.ts"],"mappings":"AAAA;AACAAAAAAAAA"}`,
	} {
		m := mapper(t, &files{tree: tree(map[string]string{"x.js": script, "x.js.map": text})}, Options{})
		if _, mapped := m.Map(root, frame("x.js", 2, 1)); mapped {
			t.Errorf("%s: mapped", name)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, file := range []string{"tsc/main.js.map", "esbuild/main.js.map", "swc/cart.js.map"} {
		text, err := os.ReadFile("testdata/app/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, 1, 40)
	}
	f.Add([]byte(`{"version":3,"sections":[{"offset":{"line":1,"column":5},"map":{"version":3,"sources":[null,"a"],"mappings":"AAAA,C,IAAA;;AACAA"}}]}`), 3, 7)
	f.Fuzz(func(t *testing.T, text []byte, line, column int) {
		all := fstest.MapFS{"x.js": {Data: []byte(script)}, "x.js.map": {Data: text}}
		frames := append(frame("x.js", line, column), frame("x.js", 2, 2)...)
		got, _ := mapper(t, &files{tree: all}, Options{}).Map(root, frames)
		for _, g := range got {
			if g.Line < min(0, line) || len(g.File) > record.MaxMessage || !utf8.ValidString(g.File+g.Function+g.Text) || len(g.Text) > record.MaxSource || len(g.Before) > record.MaxAround || len(g.After) > record.MaxAround {
				t.Fatalf("not fit to be kept: %+v", g)
			}
		}
	})
}

func BenchmarkMap(b *testing.B) {
	text, err := os.ReadFile("testdata/app/esbuild/main.js.map")
	if err != nil {
		b.Fatal(err)
	}
	large := strings.Replace(string(text), `"mappings": "`, `"mappings": "`+strings.Repeat("AAAA,CAAC,EAAE,GAAG;", 200_000), 1)
	m := mapper(b, &files{tree: tree(map[string]string{"x.js": script, "x.js.map": large})}, Options{})
	frames := frame("x.js", 200_000, 3)
	if _, mapped := m.Map(root, frames); !mapped {
		b.Fatal("not mapped")
	}
	b.SetBytes(int64(len(large)))
	for b.Loop() {
		m.Map(root, frames)
	}
}
