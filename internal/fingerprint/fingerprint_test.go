package fingerprint

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

var update = flag.Bool("update", false, "write the golden fingerprints again; raise Algo when they change")

// seen is an exception as an agent sees it: its stack, and the folder of the app there.
type seen struct {
	root, name, code, message, stack string
	causes                           []record.Cause
}

func (s seen) fill(app string) *record.ExceptionInfo {
	e := &record.ExceptionInfo{Name: s.name, Code: s.code, Message: s.message, Stack: s.stack, Causes: s.causes, Frames: stack.Parse(s.stack, s.root)}
	Fill(app, e)
	return e
}

const shop = "/srv/shop"

func typeError(stack string) seen {
	const message = "Cannot read properties of undefined (reading 'price')"
	return seen{root: shop, name: "TypeError", message: message, stack: "TypeError: " + message + "\n" + stack}
}

func thrown(message, stack string) seen {
	return seen{root: shop, name: "Error", message: message, stack: "Error: " + message + "\n" + stack}
}

var plain = typeError("    at total (/srv/shop/lib/cart.js:12:20)\n    at Object.checkout (/srv/shop/routes/cart.js:40:3)\n    at Layer.handle [as handle_request] (/srv/shop/node_modules/express/lib/router/layer.js:95:5)")

var pairs = []struct {
	name string
	same bool
	a, b seen
}{
	{"lines have moved", true, plain, typeError("    at total (/srv/shop/lib/cart.js:19:8)\n    at Object.checkout (/srv/shop/routes/cart.js:52:9)")},
	{"another host's folder", true, plain, func() seen {
		s := typeError("    at total (/home/deploy/www/lib/cart.js:12:20)\n    at Object.checkout (/home/deploy/www/routes/cart.js:40:3)")
		s.root = "/home/deploy/www"
		return s
	}()},
	{
		"releases in folders of their own, linked to from the root", true,
		typeError("    at total (/srv/releases/20261101093000/cart.js:12:20)"), typeError("    at total (/srv/releases/20261126101500/cart.js:14:20)"),
	},
	{
		"a method called by another name, async, new Node", true,
		plain, typeError("    at total (/srv/shop/lib/cart.js:12:20)\n    at async exports.checkout [as pay] (/srv/shop/routes/cart.js:40:3)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"),
	},
	{
		"hashed bundles", true,
		typeError("    at total (/srv/shop/dist/main.3f2a9c.js:1:2044)\n    at checkout (/srv/shop/dist/vendors-4f3a2b1c9d.chunk.js:1:99)"),
		typeError("    at total (/srv/shop/dist/main.b81e02.js:1:2101)\n    at checkout (/srv/shop/dist/vendors-00aa11bb22.chunk.js:1:80)"),
	},
	{
		"bundles of Rollup and esbuild", true,
		typeError("    at total (file:///srv/shop/dist/index-BfX3k_9Q.js:1:2044)\n    at checkout (file:///srv/shop/dist/chunk-QZ7WKL2A.mjs:1:99)"),
		typeError("    at total (file:///srv/shop/dist/index-D0k-mNpQ.js:1:2101)\n    at checkout (file:///srv/shop/dist/chunk-3AB5XYZ6.mjs:1:80)"),
	},
	{
		"minified anew", true,
		typeError("    at t (/srv/shop/dist/main.3f2a9c.js:1:2044)\n    at Object.rn (/srv/shop/dist/main.3f2a9c.js:1:99)"),
		typeError("    at e (/srv/shop/dist/main.aa91b2.js:1:2101)\n    at Object.i (/srv/shop/dist/main.aa91b2.js:1:80)"),
	},
	{
		"mapped by Node and by us", true,
		typeError("    at <anonymous> (/srv/shop/src/cart.ts:6:55)\n    at Array.reduce (<anonymous>)\n    at total (/srv/shop/src/cart.ts:6:16)"),
		typeError("    at /srv/shop/dist/cart.js:2:57\n        -> /srv/shop/src/cart.ts:6:55\n    at Array.reduce (<anonymous>)\n    at total (webpack://shop/./src/cart.ts?4f3a:9:16)"),
	},
	{
		"compiled for an older target", true,
		typeError("    at total (/srv/shop/src/cart.ts:6:16)\n    at checkout (/srv/shop/src/cart.ts:11:10)"),
		typeError("    at total (/srv/shop/src/cart.ts:6:16)\n    at fulfilled (/srv/shop/src/cart.ts:1:10)\n    at checkout (/srv/shop/src/cart.ts:11:10)\n    at Generator.next (<anonymous>)"),
	},
	{
		"recursion as deep as it comes", true,
		typeError(strings.Repeat("    at walk (/srv/shop/tree.js:5:2)\n", 3) + "    at list (/srv/shop/tree.js:50:2)"),
		typeError(strings.Repeat("    at walk (/srv/shop/tree.js:5:2)\n", 8) + "    at list (/srv/shop/tree.js:50:2)"),
	},
	{
		"a full stack", true,
		seen{root: shop, name: "RangeError", message: "Maximum call stack size exceeded", stack: "RangeError\n" + strings.Repeat("    at even (/srv/shop/n.js:5:2)\n    at odd (/srv/shop/n.js:6:2)\n", 5)},
		seen{root: shop, name: "RangeError", message: "Maximum call stack size exceeded", stack: "RangeError\n" + strings.Repeat("    at odd (/srv/shop/n.js:6:2)\n    at even (/srv/shop/n.js:5:2)\n", 5)},
	},
	{
		"other ids in the message, with a stack", true,
		thrown("order 17 not found", "    at load (/srv/shop/orders.js:5:2)"), thrown("order 18 was lost", "    at load (/srv/shop/orders.js:5:2)"),
	},
	{
		"other ids in the message, without a stack", true,
		thrown(`user 3fa85f64-5717-4562-b3fc-2c963f66afa6 <li@shop.cn> of 10.0.0.7 at 2026-11-26T10:00:00Z: "a b" took 1.5 s, true`, ""),
		thrown(`user 9c858901-8a57-4791-81fe-4c455b099bc9 <wang@example.org> of 10.0.0.81 at 2026-11-27T23:00:01Z: "c" took 21.25 s, false`, ""),
	},
	{
		"another port was refused", true,
		seen{name: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED 127.0.0.1:5432", stack: "Error: connect ECONNREFUSED 127.0.0.1:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1611:16)"},
		seen{name: "Error", code: "ECONNREFUSED", message: "connect ECONNREFUSED 10.1.2.3:5432", stack: "Error: connect ECONNREFUSED 10.1.2.3:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1555:16)"},
	},
	{
		"another version of Node", true,
		seen{name: "Error", message: "read ECONNRESET", stack: "Error: read ECONNRESET\n    at TCP.onStreamRead (internal/stream_base_commons.js:209:20)"},
		seen{name: "Error", message: "read ECONNRESET", stack: "Error: read ECONNRESET\n    at TCP.onStreamRead (node:internal/stream_base_commons:216:20)"},
	},
	{
		"another version of a package", true,
		thrown("x", "    at q (/srv/shop/node_modules/.pnpm/pg@8.1.0/node_modules/pg/lib/client.js:1:2)\n    at parse (/srv/shop/node_modules/pg/lib/parser.js:1:2)"),
		thrown("x", "    at q (/srv/shop/node_modules/pg/lib/client.js:99:2)\n    at parse (/srv/shop/node_modules/.pnpm/pg@8.2.0/node_modules/pg/lib/parser.js:1:2)"),
	},
	{
		"how many failed of those that were tried together", true,
		seen{root: shop, name: "AggregateError", message: "all failed", stack: "AggregateError: all failed\n    at try (/srv/shop/x.js:1:1)", causes: []record.Cause{{Name: "Error", Message: "1"}, {Name: "Error", Message: "2"}}},
		seen{root: shop, name: "AggregateError", message: "all failed", stack: "AggregateError: all failed\n    at try (/srv/shop/x.js:1:1)", causes: []record.Cause{{Name: "Error", Message: "5"}}},
	},
	{
		"a cause on another host", true, wrapped(shop, "pool.js"),
		wrapped("/opt/shop-2", "pool.js"),
	},
	{
		"a syntax error whose line moved", true,
		seen{root: shop, name: "SyntaxError", message: "Unexpected identifier 'b'", stack: "/srv/shop/a.js:3\nconst a b;\n      ^\n\nSyntaxError: Unexpected identifier 'b'\n    at wrapSafe (node:internal/modules/cjs/loader:1464:18)"},
		seen{root: shop, name: "SyntaxError", message: "Unexpected identifier 'b'", stack: "/srv/shop/a.js:30\nconst a b;\n      ^\n\nSyntaxError: Unexpected identifier 'b'\n    at internalCompileFunction (node:internal/vm:76:18)"},
	},

	{"another function", false, plain, typeError("    at count (/srv/shop/lib/cart.js:12:20)\n    at Object.checkout (/srv/shop/routes/cart.js:40:3)")},
	{"another file of the same name", false, plain, typeError("    at total (/srv/shop/lib/old/cart.js:12:20)\n    at Object.checkout (/srv/shop/routes/cart.js:40:3)")},
	{"another way to it", false, plain, typeError("    at total (/srv/shop/lib/cart.js:12:20)\n    at Object.preview (/srv/shop/routes/cart.js:40:3)")},
	{"another name of error", false, thrown("x", "    at load (/srv/shop/orders.js:5:2)"), seen{root: shop, name: "OrderError", message: "x", stack: "OrderError: x\n    at load (/srv/shop/orders.js:5:2)"}},
	{
		"another code", false,
		seen{root: shop, name: "Error", code: "ENOENT", stack: "Error\n    at load (/srv/shop/orders.js:5:2)"},
		seen{root: shop, name: "Error", code: "EACCES", stack: "Error\n    at load (/srv/shop/orders.js:5:2)"},
	},
	{
		"handlers without names in one file", false,
		typeError("    at /srv/shop/routes/users.js:12:9\n    at Layer.handle (/srv/shop/node_modules/express/lib/router/layer.js:95:5)"),
		func() seen {
			s := typeError("    at /srv/shop/routes/users.js:32:9\n    at Layer.handle (/srv/shop/node_modules/express/lib/router/layer.js:95:5)")
			s.message = "Cannot read properties of undefined (reading 'email')"
			return s
		}(),
	},
	{"another message, without a stack", false, thrown("order 17 not found", ""), thrown("user 17 not found", "")},
	{
		"another thing that Node could not do", false,
		thrown("socket hang up", "    at TLSSocket.socketOnEnd (node:_http_client:524:23)"),
		thrown("Client network socket disconnected", "    at TLSSocket.socketOnEnd (node:_http_client:524:23)"),
	},
	{"another cause", false, wrapped(shop, "pool.js"), wrapped(shop, "query.js")},
	{
		"another package", false,
		thrown("x", "    at parse (/srv/shop/node_modules/pg/lib/parser.js:1:2)"), thrown("x", "    at parse (/srv/shop/node_modules/mysql/lib/parser.js:1:2)"),
	},
	{
		"two pages of one bundler's folder", false,
		typeError("    at load (/srv/shop/.next/server/pages/users.js:1:2)"), typeError("    at load (/srv/shop/.next/server/pages/orders.js:1:2)"),
	},
}

func wrapped(root, file string) seen {
	return seen{
		root: root, name: "Error", message: "could not save", stack: "Error: could not save\n    at save (" + root + "/db/save.js:3:4)",
		causes: []record.Cause{{Name: "TypeError", Message: "x", Stack: "TypeError: x\n    at get (" + root + "/" + file + ":7:8)"}},
	}
}

func TestPairs(t *testing.T) {
	for _, test := range pairs {
		t.Run(test.name, func(t *testing.T) {
			a, b := test.a.fill("shop"), test.b.fill("shop")
			if same := a.Fingerprint == b.Fingerprint; same != test.same {
				t.Errorf("same = %t, want %t\n%s\n%s", same, test.same, strings.Join(tell(a.Name, a.Message, a.Frames, maxFrames).lines, ", "), strings.Join(tell(b.Name, b.Message, b.Frames, maxFrames).lines, ", "))
			}
			if other := test.a.fill("shop-admin"); other.Fingerprint == a.Fingerprint || other.Coarse == a.Coarse {
				t.Error("another app's has the same fingerprint")
			}
			if !record.ValidFingerprint(a.Fingerprint) || !record.ValidFingerprint(a.Coarse) || a.Fingerprint == a.Coarse || a.Algo != Algo {
				t.Errorf("not valid: %s %s %d", a.Fingerprint, a.Coarse, a.Algo)
			}
		})
	}
}

// TestGolden keeps fingerprints as they are: the groups of stores are kept by
// them. When it fails, raise Algo, or undo what changed them.
func TestGolden(t *testing.T) {
	file := fmt.Sprintf("testdata/algo%d.json", Algo)
	got := map[string]string{}
	for _, p := range pairs {
		a, b := p.a.fill("shop"), p.b.fill("shop")
		got[p.name+" (a)"] = a.Fingerprint + " " + a.Coarse
		got[p.name+" (b)"] = b.Fingerprint + " " + b.Coarse
	}
	if *update {
		data, err := json.MarshalIndent(got, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]string
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fingerprints of algorithm %d changed (-want +got):\n%s", Algo, diff)
	}
}

func TestCoarse(t *testing.T) {
	a := plain.fill("shop")
	b := typeError("    at total (/srv/shop/lib/cart.js:12:20)\n    at Object.preview (/srv/shop/routes/cart.js:40:3)").fill("shop")
	if a.Coarse != b.Coarse {
		t.Error("the same top call gives two coarse fingerprints")
	}
}

func TestTitleAndCulprit(t *testing.T) {
	tests := []struct {
		in             seen
		title, culprit string
	}{
		{plain, "TypeError: Cannot read properties of undefined (reading 'price')", "total (lib/cart.js)"},
		{thrown("库存不足\n第二行", "    at async Object.结账 [as pay] (/srv/shop/购物车.js:1:2)"), "Error: 库存不足", "结账 (购物车.js)"},
		{thrown("x", "    at /srv/shop/dist/main.3f2a9c.js:1:2"), "Error: x", "dist/main.js"},
		{thrown("", ""), "Error", ""},
		{seen{message: "no name"}, "Error: no name", ""},
		{thrown("x", "    at JSON.parse (<anonymous>)"), "Error: x", "JSON.parse (<anonymous>)"},
		{thrown("Error: x", "    at new Cart (/srv/shop/x.js:1:2)"), "Error: x", "new Cart (x.js)"},
	}
	for _, test := range tests {
		e := test.in.fill("shop")
		if e.Title != test.title || e.Culprit != test.culprit {
			t.Errorf("%q: %q by %q, want %q by %q", test.in.message, e.Title, e.Culprit, test.title, test.culprit)
		}
	}
	if e := thrown(strings.Repeat("长", 4000), "").fill("shop"); len(e.Title) > maxTitle || !utf8.ValidString(e.Title) {
		t.Errorf("title of %d bytes", len(e.Title))
	}
}

func TestParameterise(t *testing.T) {
	for in, want := range map[string]string{
		"order 17 not found":                                      "order <int> not found",
		"connect ECONNREFUSED 127.0.0.1:5432":                     "connect ECONNREFUSED <ip>:<int>",
		"connect ECONNREFUSED ::1:5432":                           "connect ECONNREFUSED <ip>",
		"getaddrinfo ENOTFOUND db-1.shop.internal":                "getaddrinfo ENOTFOUND <hostname>",
		"GET https://shop.cn/a?b=1 failed: 502":                   "GET <url> failed: <int>",
		"ENOENT: no such file or directory, open '/srv/a b'":      "ENOENT: no such file or directory, open <quoted>",
		"Cannot read properties of undefined (reading 'price')":   "Cannot read properties of undefined (reading 'price')",
		"items.map is not a function":                             "items.map is not a function",
		"don't stop; it isn't so":                                 "don't stop; it isn't so",
		"commit da39a3ee5e6b4b0d3255bfef95601890afd80709 is gone": "commit <sha1> is gone",
		"etag d41d8cd98f00b204e9800998ecf8427e":                   "etag <md5>",
		"timeout of 1500ms exceeded":                              "timeout of <duration> exceeded",
		"at 0x7ffd31 with 3.14":                                   "at <hex> with <float>",
		"用户 17 不存在":                                               "用户 <int> 不存在",
		"用户“小明”于2026年11月26日失败":                                    "用户<quoted>于<date>失败",
		"password=[redacted:password]":                            "password=<mark>",
		"enabled=true":                                            "enabled=<bool>",
	} {
		if got := parameterise(in); got != want {
			t.Errorf("parameterise(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormalFile(t *testing.T) {
	for in, want := range map[string]string{
		"routes/users.js":      "routes/users.js",
		"api/v1/users.js":      "api/v1/users.js",
		"step-2.js":            "step-2.js",
		"facade.js":            "facade.js",
		"user-profile.js":      "user-profile.js",
		"home-HomePage.js":     "home-HomePage.js",
		"main.3f2a9c.js":       "main.js",
		"main.3f2a9c.chunk.js": "main.chunk.js",
		"345.js":               "*.js",
		"345.4f3a2b1c.js":      "*.js",
		"lib-1.2.3/x.js":       "*/x.js",
		"shop-1.2.3.min.js":    "shop.min.js",
		"shop-1.2.3.js":        "shop.js",
		"x.mjs?update=17":      "x.mjs",
		"/srv/shop/releases/2026-11-26/server.js": "*/server.js",
		"/x.js":           "x.js",
		"/":               "",
		"node:internal/x": "node:internal/x",
		"/a/node_modules/@scope/p@1.0.0/lib/i.js":          "node_modules/@scope/p/lib/i.js",
		"node_modules/a/node_modules/b/dist/b.9f8e7d6c.js": "node_modules/b/dist/b.js",
	} {
		if got := normalFile(in); got != want {
			t.Errorf("normalFile(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzFill(f *testing.F) {
	for _, p := range pairs {
		f.Add(p.a.name, p.a.code, p.a.message, p.a.stack, p.a.root)
	}
	f.Fuzz(func(t *testing.T, name, code, message, stack, root string) {
		s := seen{root: root, name: name, code: code, message: message, stack: stack, causes: []record.Cause{{Name: code, Message: stack, Stack: message + "\n" + stack}}}
		e := s.fill("shop")
		if !record.ValidFingerprint(e.Fingerprint) || !record.ValidFingerprint(e.Coarse) {
			t.Fatal("no fingerprint")
		}
		if len(e.Title) > record.MaxMessage || !utf8.ValidString(e.Title+e.Culprit) || strings.ContainsAny(e.Title+e.Culprit, "\x00\n") || e.Title == "" {
			t.Fatalf("title %q, culprit %q", e.Title, e.Culprit)
		}
	})
}
