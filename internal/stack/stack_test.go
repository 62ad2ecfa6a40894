package stack

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
)

var update = flag.Bool("update", false, "write the golden files again")

// TestRecordings reads what real programs wrote; the golden files show the
// frames, one a line.
func TestRecordings(t *testing.T) {
	for _, name := range []string{"node", "compiled", "mapped", "arrows", "python"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile("testdata/" + name + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			for section := range strings.SplitSeq(string(text), "=== ") {
				if section == "" {
					continue
				}
				title, stack, _ := strings.Cut(section, "\n")
				got.WriteString(title + "\n" + describe(Parse(stack, "/srv/shop")))
			}
			golden := "testdata/" + name + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
		})
	}
}

func describe(frames []record.Frame) string {
	var b strings.Builder
	for _, f := range frames {
		whose := "app"
		if !f.InApp {
			whose = "-"
		}
		fmt.Fprintf(&b, "  %-3s %s %s:%d:%d\n", whose, f.Function, f.File, f.Line, f.Column)
	}
	return b.String()
}

func TestCalls(t *testing.T) {
	const root = "/srv/shop"
	tests := []struct {
		name, line string
		want       *record.Frame
	}{
		{"space and parentheses in the path", "at pay (/srv/shop/my app (1)/x.js:3:4)", &record.Frame{Function: "pay", File: "my app (1)/x.js", Line: 3, Column: 4, InApp: true}},
		{"no name, parentheses in the path", "at /srv/shop/app (1)/x.js:3:4", &record.Frame{File: "app (1)/x.js", Line: 3, Column: 4, InApp: true}},
		{"file URL", "at pay (file:///srv/shop/%E6%94%AF%E4%BB%98/a%20b.mjs:3:4)", &record.Frame{Function: "pay", File: "支付/a b.mjs", Line: 3, Column: 4, InApp: true}},
		{"webpack", "at pay (webpack:///./src/pay.ts:3:4)", &record.Frame{Function: "pay", File: "src/pay.ts", Line: 3, Column: 4, InApp: true}},
		{"webpack with a name and a hash", "at pay (webpack://shop/./src/pay.ts?4f3a:3:4)", &record.Frame{Function: "pay", File: "src/pay.ts", Line: 3, Column: 4, InApp: true}},
		{"webpack above its folder", "at pay (webpack:///../../src/pay.ts:3:4)", &record.Frame{Function: "pay", File: "src/pay.ts", Line: 3, Column: 4, InApp: true}},
		{"webpack absolute", "at pay (webpack:////srv/shop/src/pay.ts:3:4)", &record.Frame{Function: "pay", File: "src/pay.ts", Line: 3, Column: 4, InApp: true}},
		{"webpack itself", "at r (webpack://shop/webpack/bootstrap:19:1)", &record.Frame{Function: "r", File: "webpack/bootstrap", Line: 19, Column: 1}},
		{"webpack with a package", "at r (webpack:///./node_modules/p/i.js:19:1)", &record.Frame{Function: "r", File: "node_modules/p/i.js", Line: 19, Column: 1}},
		{"eval in eval", "at a (eval at b (eval at c (/srv/shop/x.js:5:6), <anonymous>:1:1), <anonymous>:3:4)", &record.Frame{Function: "a", File: "x.js", Line: 5, Column: 6, InApp: true}},
		{"inspected", "at pay (/srv/shop/x.js:3:4) {", &record.Frame{Function: "pay", File: "x.js", Line: 3, Column: 4, InApp: true}},
		{"Node 14", "at Module._compile (internal/modules/cjs/loader.js:1085:14)", &record.Frame{Function: "Module._compile", File: "internal/modules/cjs/loader.js", Line: 1085, Column: 14}},
		{"Node 14, public module", "at Socket.emit (events.js:400:28)", &record.Frame{Function: "Socket.emit", File: "events.js", Line: 400, Column: 28}},
		{"an app's events.js", "at emit (/srv/shop/events.js:4:2)", &record.Frame{Function: "emit", File: "events.js", Line: 4, Column: 2, InApp: true}},
		{"outside of the root", "at pay (/srv/shop2/x.js:3:4)", &record.Frame{Function: "pay", File: "/srv/shop2/x.js", Line: 3, Column: 4, InApp: true}},
		{"leads out of the root", "at pay (/srv/shop/../x.js:3:4)", &record.Frame{Function: "pay", File: "/srv/x.js", Line: 3, Column: 4, InApp: true}},
		{"wasm", "at f (wasm://wasm/0003d2e2:wasm-function[6]:0x9d)", &record.Frame{Function: "f", File: "wasm://wasm/0003d2e2:wasm-function[6]:0x9d"}},
		{"pnpm", "at f (/srv/shop/node_modules/.pnpm/p@1.2.3/node_modules/p/i.js:1:2)", &record.Frame{Function: "f", File: "node_modules/.pnpm/p@1.2.3/node_modules/p/i.js", Line: 1, Column: 2}},
		{"control characters", "at f\x1b[31m\x00 (/srv/shop/x\x01.js:1:2)", &record.Frame{Function: "f[31m", File: "x.js", Line: 1, Column: 2, InApp: true}},
		{"negative", "at f (/srv/shop/x.js:-1:2)", &record.Frame{Function: "f", File: "x.js:-1", Line: 2, InApp: true}},
		{"a place that is none and broken", "at async Promise.all (index 0\xff\x00)", &record.Frame{Function: "async Promise.all", File: "index 0"}},
		{"words", "at the end of it", nil},
		{"empty", "at ", nil},
		{"too large a number", "at f (/srv/shop/x.js:99999999999)", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var want []record.Frame
			if test.want != nil {
				want = []record.Frame{*test.want}
			}
			got := Parse("Error: x\n    "+test.line+"\n", root)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("frames (-want +got):\n%s", diff)
			}
			// What is below the root is so with a slash at its end too.
			if again := Parse("Error: x\r\n    "+test.line+"\r\n", root+"/"); !cmp.Equal(got, again) {
				t.Errorf("with carriage returns: %v", again)
			}
		})
	}
}

func TestPlaceOfPython(t *testing.T) {
	for file, want := range map[string]bool{
		"/srv/shop/x.py": true,
		"/srv/shop/venv/lib/python3.11/site-packages/x/y.py": false,
		"/usr/lib/python3/dist-packages/x.py":                false,
		"/usr/lib/python3.11/json/decoder.py":                false,
		"<frozen importlib._bootstrap>":                      false,
		"<stdin>":                                            false,
	} {
		if _, inApp := Place(file, "/srv/shop"); inApp != want {
			t.Errorf("%s: in app = %t, want %t", file, inApp, want)
		}
	}
}

// TestPlaceOfExtension: what pm25-ext puts around the app's calls is not the
// app's, wherever it was installed, so that errors group the same with it.
func TestPlaceOfExtension(t *testing.T) {
	for file, want := range map[string]bool{
		"/usr/lib/pm25/ext/lib/frameworks/express.js":               false,
		"file:///opt/pm25/ext/lib/http/server.js":                   false,
		"/srv/shop/node_modules/pm25-ext/lib/frameworks/express.js": false,
		"/srv/pm25-ext/lib/reporter.js":                             false,
		"/srv/shop/ext/lib/cart.js":                                 true,
		"/srv/pm25/extra/lib/cart.js":                               true,
	} {
		if _, inApp := Place(file, "/srv/shop"); inApp != want {
			t.Errorf("%s: in app = %t, want %t", file, inApp, want)
		}
	}
}

func TestBounds(t *testing.T) {
	var v8, python strings.Builder
	v8.WriteString("Error: x\n")
	python.WriteString(tracebackHead + "\n")
	for i := 1; i < 2000; i++ {
		fmt.Fprintf(&v8, "    at f%d (/x.js:%d:1)\n", i, i)
		fmt.Fprintf(&python, "  File \"/x.py\", line %d, in f%d\n    f()\n", i, i)
	}
	if frames := Parse(v8.String(), ""); len(frames) != record.MaxFrames || frames[0].Line != 1 {
		t.Errorf("%d frames of V8", len(frames))
	}
	if frames := Parse(python.String()[:40000], ""); len(frames) != record.MaxFrames || frames[0].Line < frames[1].Line {
		t.Errorf("%d frames of Python", len(frames))
	}
	long := Parse("Error\n    at "+strings.Repeat("名", 500)+" (/"+strings.Repeat("目", 3000)+".js:1:1)", "")
	if len(long) != 1 || len(long[0].Function) > record.MaxName || len(long[0].File) > record.MaxMessage || !utf8.ValidString(long[0].Function+long[0].File) {
		t.Errorf("long names: %d frames", len(long))
	}
}

func TestFormat(t *testing.T) {
	const text = "Error: x\n    at pay (src/pay.ts:3:4)\n    at src/main.ts:5:6\n    at Array.map (<anonymous>)"
	frames := Parse(text, "")
	if got := Format("Error: x", frames); got != text {
		t.Errorf("Format = %q, want %q", got, text)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"node", "mapped", "arrows", "python"} {
		text, err := os.ReadFile("testdata/" + name + ".txt")
		if err != nil {
			f.Fatal(err)
		}
		for section := range strings.SplitSeq(string(text), "=== ") {
			f.Add(section, "/srv/shop")
		}
	}
	f.Add("/a.js:3\nx\n^\nSyntaxError: y\n    at async (eval at (:1:2), :", "/")
	f.Fuzz(func(t *testing.T, text, root string) {
		frames := Parse(text, root)
		if len(frames) > record.MaxFrames {
			t.Fatalf("%d frames", len(frames))
		}
		for _, frame := range frames {
			if frame.Line < 0 || frame.Column < 0 || len(frame.Function) > record.MaxName || len(frame.File) > record.MaxMessage {
				t.Fatalf("out of range: %+v", frame)
			}
			if s := frame.Function + frame.File; !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\n") {
				t.Fatalf("not fit to be kept: %+v", frame)
			}
		}
		Format("", frames)
	})
}
