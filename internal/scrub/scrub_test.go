package scrub

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
)

func scrubber(t testing.TB, o Options) *Scrubber {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The secrets here are nobody's: made up, or the numbers that issuers give for tests.
// Those with a service's form are put together, so that nobody's scanner takes them for real ones.
var (
	slack  = "xox" + "b-2048-3141592653-abcdefghijklmnopqrst"
	aws    = "AKI" + "A2E0A8F3B244C9986"
	github = "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a"
	stripe = "sk_" + "live_4eC39HqLyjWDarjtT1zdp7dc"
	aliyun = "LTA" + "I5t7Qw3Er9Ty1Ui0Op4As"
	jwtKey = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
)

var secrets = []struct{ name, in, want string }{
	{"authorization", "Authorization: Bearer abc.def-123", "Authorization: [redacted:header]"},
	{"authorization, inspected", "  authorization: 'Bearer abc.def-123',", "  authorization: '[redacted:header]',"},
	{"authorization on a command line", `curl -H "Authorization: Basic bGk6c2VjcmV0" https://shop.cn`, `curl -H "Authorization: [redacted:header]" https://shop.cn`},
	{"authorization with parameters", "authorization: Digest username=\"li\", response=\"6629\"\nhost: a", "authorization: [redacted:header]\nhost: a"},
	{"proxy-authorization", "Proxy-Authorization: Basic bGk6c2VjcmV0\r\n", "Proxy-Authorization: [redacted:header]\r\n"},
	{"cookie", "Cookie: sid=s%3Aabc; theme=dark\nAccept: */*", "Cookie: [redacted:header]\nAccept: */*"},
	{"set-cookie, inspected", "'set-cookie': [ 'sid=abc; Path=/', 'b=2' ],", "'set-cookie': [redacted:header],"},
	{"set-cookie in JSON", `{"set-cookie":["sid=abc"],"x":1}`, `{"set-cookie":[redacted:header],"x":1}`},
	{"bearer alone", "got Bearer 0123456789abcdef from li", "got Bearer [redacted:token] from li"},
	{"basic alone", "got basic bGk6c2VjcmV0cGFzcw== from li", "got basic [redacted:token] from li"},
	{"web token", "jwt " + jwtKey + " expired", "jwt [redacted:token] expired"},
	{"AWS", "id " + aws + ".", "id [redacted:key]."},
	{"GitHub", "(" + github + ")", "([redacted:key])"},
	{"Slack", slack, "[redacted:key]"},
	{"Stripe", "key " + stripe + " is", "key [redacted:key] is"},
	{"Aliyun", "用" + aliyun + "登录", "用[redacted:key]登录"},
	{"URL", "connect postgres://shop:pa%24s:w@rd@db:5432/shop?x=1", "connect postgres://shop:[redacted:password]@db:5432/shop?x=1"},
	{"URL without a user", "redis://:hunter2@10.0.0.1/0", "redis://:[redacted:password]@10.0.0.1/0"},
	{"URL with a token", "https://0123456789abcdef0123456789@o1.shop.cn/1", "https://[redacted:password]@o1.shop.cn/1"},
	{"query", "GET /a?user=li&access_token=abc123def&x=1", "GET /a?user=li&access_token=[redacted:password]&x=1"},
	{"form", "user[name]=li&user[password]=hunter2&x%5Bpassword%5D=h", "user[name]=li&user[password]=[redacted:password]&x%5Bpassword%5D=[redacted:password]"},
	{"key=value", "DB_PASSWORD=hunter2 API_KEY=abc-def-ghi", "DB_PASSWORD=[redacted:password] API_KEY=[redacted:password]"},
	{"key: value", "password: hunter2, user: li", "password: [redacted:password], user: li"},
	{"inspected", "{ user: 'li', password: 'it\\'s', apiKey: \"a\\\"b c\" }", "{ user: 'li', password: '[redacted:password]', apiKey: \"[redacted:password]\" }"},
	{"JSON in a text", `body {"user":"li","passwd":"hun\"ter2","n":1}`, `body {"user":"li","passwd":"[redacted:password]","n":1}`},
	{"JSON in JSON", `{\"clientSecret\":\"abcd\",\"n\":1}`, `{\"clientSecret\":\"[redacted:password]\",\"n\":1}`},
	{"number as a password", `"password": 123456, "n": 2`, `"password": [redacted:password], "n": 2`},
	{"cut off", `{"password":"hunt`, `{"password":"[redacted:password]`},
	{"Python", "{'token': b'abcdef'}", "{'token': b'[redacted:password]'}"},
	{"Chinese name", "登录失败，密码: hunter2", "登录失败，密码: [redacted:password]"},
	{"private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIB\nAAAA\n-----END RSA PRIVATE KEY-----\nend", "-----BEGIN RSA PRIVATE KEY-----[redacted:private_key]-----END RSA PRIVATE KEY-----\nend"},
	{"private key, cut off", "-----BEGIN PRIVATE KEY-----\\nMIIB", "-----BEGIN PRIVATE KEY-----[redacted:private_key]"},
	{"card", "paid with 4111111111111111.", "paid with [redacted:card]."},
	{"card in groups", "paid with 5555 5555 5555 4444 and 3782-822463-10005", "paid with [redacted:card] and [redacted:card]"},
	{"UnionPay", "卡号6250947000000014已绑定", "卡号[redacted:card]已绑定"},
	{"mobile", "手机13800138000，小明", "手机[redacted:phone]，小明"},
	{"mobile in groups", "call 138-0013-8000 or 138 0013 8000", "call [redacted:phone] or [redacted:phone]"},
	{"mobile with its country", "8613800138000 +8613800138000 +86 138 0013 8000 ok", "[redacted:phone] [redacted:phone] [redacted:phone] ok"},
	{"international", "+1 (415) 555-2671, +4915112345678", "[redacted:phone], [redacted:phone]"},
	{"identity card", "身份证11010519491231002X 和 440524188001010014", "身份证[redacted:id_card] 和 [redacted:id_card]"},
	{"mobile after its country", "0086-13800138000", "0086-[redacted:phone]"},
	{"list of headers", `[ 'Authorization', 'Token abc', 'Cookie', 'theme=dark', "Set-Cookie", "a=b" ]`, `[ 'Authorization', '[redacted:header]', 'Cookie', '[redacted:header]', "Set-Cookie", "[redacted:header]" ]`},
	{"command line", "mysqldump --user li --password hunter2 --token 'a b' --password=x --secret", "mysqldump --user li --password [redacted:password] --token '[redacted:password]' --password=[redacted:password] --secret"},
	{"XML", "<user>li</user><password>hunter2</password><secret><![CDATA[abc def]]></secret>", "<user>li</user><password>[redacted:password]</password><secret><![CDATA[[redacted:password]]]></secret>"},
	{"a mark stays", "password=[redacted:password]&a=[redacted:x]", "password=[redacted:password]&a=[redacted:x]"},
}

func TestText(t *testing.T) {
	s := scrubber(t, Options{})
	for _, test := range secrets {
		t.Run(test.name, func(t *testing.T) {
			got := s.Text(test.in)
			if got != test.want {
				t.Errorf("Text = %q, want %q", got, test.want)
			}
			if again := s.Text(got); again != got {
				t.Errorf("scrubbed twice: %q", again)
			}
		})
	}
}

// TestHarmless: nothing of these is a secret.
func TestHarmless(t *testing.T) {
	s := scrubber(t, Options{})
	for _, text := range []string{
		"TypeError: Cannot read properties of undefined (reading 'token')\n    at verify (/srv/shop/lib/token.js:12:34)\n    at Object.password (file:///srv/shop/auth/password.mjs:7:1)",
		"    at getToken (/srv/shop/secret:12:5)",
		"    at f (webpack://shop/./src/cookie.ts?4f3a:3:4)",
		"JsonWebTokenError: invalid token\nError: Unexpected token: punc (})\nSyntaxError: Unexpected token < in JSON at position 0",
		"Basic authentication required; Bearer token missing; authorization: denied for user 17; invalid token: expired",
		"token: undefined, password: null, secret = '', api_key=, password: ***, password: [Function (anonymous)]",
		"PWD=/srv/shop OLDPWD=/srv",
		"id 3fa85f64-5717-4562-b3fc-2c963f66afa6 and 00000000-1111-2222-3333-444444444444 and 41111111-1111-1111-1111-111111111111",
		"at 1732579200000 1732579200000000 1732579200000000000 1732579200.123 2026-11-26T10:00:00.000+08:00 2026-11-26 10:00:00 +0800",
		"v20.20.2 1.0.0+20261126 0.13800138000 order13800138000 13800138000ms 1e+21 a+4915112345678",
		"sha da39a3ee5e6b4b0d3255bfef95601890afd80709 port 65535 pid 4194304 12345678901 9007199254740991",
		"4111111111111112 is no card, 110105194912310021 is no identity card",
		"max_tokens: 4096, tokens=17, primaryKey=17, key: a, keyboard=us, passed: 3, compass=north",
		"http://localhost:3000/a@b postgres://db:5432/shop https://registry.npmjs.org/@scope/p git@github.com:a/b.git",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
		"task-force-one-two-three-four-five sk-folding-cube-animation-of-all eyJ is short",
		"Access denied for user 'root'@'localhost' (using password: YES)",
		"<password></password> a > b, 'token', 'x' --token --verbose",
		"if (token === other || password == x) std::token::x a ? token : b",
		"库存不足：订单 17 的商品“苹果”只剩 3 件\t\x00\xff",
		"",
	} {
		if got := s.Text(text); got != text {
			t.Errorf("%q\nbecame %q", text, got)
		}
	}
}

// TestStacksStay: the recordings of stacks come through as they are.
func TestStacksStay(t *testing.T) {
	s := scrubber(t, Options{})
	for _, name := range []string{"node", "compiled", "mapped", "python"} {
		text, err := os.ReadFile("../stack/testdata/" + name + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(text), s.Text(string(text))); diff != "" {
			t.Errorf("%s (-was +is):\n%s", name, diff)
		}
	}
}

func TestJSON(t *testing.T) {
	s := scrubber(t, Options{})
	for in, want := range map[string]string{
		`["Host","a","Authorization","s3cret","X-Api-Key","k-1","Cookie","sid=a"]`: `["Host","a","Authorization","[redacted:header]","X-Api-Key","[redacted:password]","Cookie","[redacted:header]"]`,
		`["password","username"]`:  `["password","username"]`,
		``:                         ``,
		`{"b":1.50,"a":[1e3]}`:     `{"b":1.50,"a":[1e3]}`,
		` {"user":"小明<&>","n":2} `: ` {"user":"小明<&>","n":2} `,
		`{"password":"hunter2"}`:   `{"password":"[redacted:password]"}`,
		`{"pass\u0077ord" : 17 , "x":{"token":{"a":"b"},"sid":["a"]}}`:                          `{"pass\u0077ord" : "[redacted:password]" , "x":{"token":"[redacted:password]","sid":"[redacted:password]"}}`,
		`{"headers":{"Cookie":"a=b","set-cookie":["a"],"accept":"*/*"},"password":"","t":null}`: `{"headers":{"Cookie":"[redacted:header]","set-cookie":"[redacted:header]","accept":"*/*"},"password":"","t":null}`,
		`["call 13800138000 <now>","\u4e2d"]`:                                                   `["call [redacted:phone] <now>","\u4e2d"]`,
		`{"phone":13800138000,"card":-4111111111111111,"at":1732579200000}`:                     `{"phone":"[redacted:phone]","card":"-[redacted:card]","at":1732579200000}`,
		`{"body":"{\"password\":\"x y\",\"n\":1}"}`:                                             `{"body":"{\"password\":\"[redacted:password]\",\"n\":1}"}`,
		`{"13800138000":1}`:                  `{"[redacted:phone]":1}`,
		`{"password":"[redacted:password]"}`: `{"password":"[redacted:password]"}`,
		`{"password":"hun`:                   `{"password":"[redacted:password]`,
	} {
		got := string(s.JSON(json.RawMessage(in)))
		if got != want {
			t.Errorf("JSON(%s)\n = %s\nwant %s", in, got, want)
		}
		if again := string(s.JSON(json.RawMessage(got))); again != got {
			t.Errorf("twice: %s", again)
		}
	}
	deep := strings.Repeat("[", 5000) + strings.Repeat("]", 5000)
	if got := string(s.JSON(json.RawMessage(deep))); got != deep {
		t.Error("deep JSON changed")
	}
}

func TestOptions(t *testing.T) {
	s := scrubber(t, Options{
		Keys:     []string{"invoice_no", "会员card"},
		Patterns: []string{`\bEMP-\d+\b`, `member (\w+)`},
		Off:      []Class{Phone, Header},
	})
	for in, want := range map[string]string{
		"invoiceNo: a-1 INVOICE-NO=b x_invoice_no='c d'": "invoiceNo: [redacted:password] INVOICE-NO=[redacted:password] x_invoice_no='[redacted:password]'",
		"EMP-17 and member li":                           "[redacted:pattern] and member [redacted:pattern]",
		"13800138000 Cookie: a=b":                        "13800138000 Cookie: a=b",
		"authorization: Bearer 0123456789abcdef":         "authorization: Bearer [redacted:token]",
		"member [redacted:card]":                         "member [redacted:card]",
	} {
		if got := s.Text(in); got != want {
			t.Errorf("Text(%q) = %q, want %q", in, got, want)
		}
	}
	for _, c := range Classes() {
		off := scrubber(t, Options{Off: []Class{c}})
		for _, test := range secrets {
			if got := off.Text(test.in); strings.Contains(strings.TrimPrefix(got, test.in), markOf(c)) && !strings.Contains(test.in, markOf(c)) {
				t.Errorf("%s is off: %q", c, got)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	for want, o := range map[string]Options{
		`class "cards" of secrets is none: use header, password, token, key, private_key, card, phone, id_card, pattern`: {Off: []Class{"cards"}},
		`key "密码" of secrets: at least 3 letters or digits of ASCII`:                                                     {Keys: []string{"密码"}},
		"pattern \"(?=a)\" of secrets: error parsing regexp: invalid or unsupported Perl syntax: `(?=`":                  {Patterns: []string{"(?=a)"}},
		`pattern "a*" of secrets matches the empty text: let it match at least one character`:                            {Patterns: []string{"a*"}},
		`0 keys and 21 patterns of secrets: at most 100 and 20`:                                                          {Patterns: make([]string, 21)},
	} {
		if _, err := New(o); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestRecord(t *testing.T) {
	const secret, clean = "password=hunter2", "password=[redacted:password]"
	r := &record.Record{
		App: "password=app", Message: secret,
		Exception: &record.ExceptionInfo{
			Name: "Error", Title: secret, Message: secret, Stack: secret, Mapped: secret,
			Causes:  []record.Cause{{Message: secret, Stack: secret}},
			Frames:  []record.Frame{{Function: "f", File: "a.js", Before: []string{secret}, Text: secret, After: []string{secret}}},
			Context: json.RawMessage(`{"password":"hunter2"}`),
		},
		Request: &record.RequestInfo{Target: secret},
		Event:   &record.EventInfo{Name: "e", Data: json.RawMessage(`["` + secret + `"]`)},
		Logs: []record.LogLine{
			{Stream: "out", Text: secret},
			{Stream: "err", Text: "-----BEGIN PRIVATE KEY-----"},
			{Stream: "out", Text: "other"},
			{Stream: "err", Text: "MIIB"},
			{Stream: "err", Text: "-----END PRIVATE KEY-----"},
			{Stream: "err", Text: "after"},
		},
	}
	scrubber(t, Options{}).Record(r)
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), "hunter2") || strings.Contains(string(out), "MIIB") {
		t.Errorf("secrets are left: %s", out)
	}
	if n := strings.Count(string(out), clean); n != 13 || r.App != "password=app" || r.Truncated || r.Logs[5].Text != "after" || r.Logs[2].Text != "other" {
		t.Errorf("%d were found: %s", n, out)
	}
}

func TestRecordStaysWithinLimits(t *testing.T) {
	r := &record.Record{
		Message: strings.Repeat("pwd=a ", record.MaxMessage/6),
		Event:   &record.EventInfo{Data: json.RawMessage("[" + strings.Repeat(`{"pwd":"a"},`, 680) + "0]")},
	}
	scrubber(t, Options{}).Record(r)
	if len(r.Message) > record.MaxMessage || !utf8.ValidString(r.Message) || len(r.Event.Data) > record.MaxJSON || !r.Truncated {
		t.Errorf("message of %d bytes, data of %d, truncated %t", len(r.Message), len(r.Event.Data), r.Truncated)
	}
}

func FuzzText(f *testing.F) {
	for _, test := range secrets {
		f.Add(test.in)
	}
	f.Add("8613800138000 +861380086 138 0013 8000 ok")
	f.Add("+86 138 0013 8000 4111 1111 1111 1111-1111 [redacted:[redacted:card]")
	s := scrubber(f, Options{})
	f.Fuzz(func(t *testing.T, text string) {
		got := s.Text(text)
		if utf8.ValidString(text) && !utf8.ValidString(got) {
			t.Fatalf("not UTF-8 any more: %q", got)
		}
		if len(got) > maxGrowth*len(text)+len(text) {
			t.Fatalf("%d bytes became %d", len(text), len(got))
		}
		if again := s.Text(got); again != got {
			t.Fatalf("%q\nonce  %q\ntwice %q", text, got, again)
		}
	})
}

// maxGrowth is how many times longer a text may become: `pwd=a` by a mark.
const maxGrowth = 8

func FuzzJSON(f *testing.F) {
	for _, in := range []string{`{"password":"a","b":[1,{"c":"13800138000"}]}`, `"\ud800"`, `[4111111111111111]`, `{"a":"{\"token\":\"b\"}"}`} {
		f.Add([]byte(in))
	}
	s := scrubber(f, Options{})
	f.Fuzz(func(t *testing.T, in []byte) {
		got := s.JSON(in)
		if len(in) > 0 && json.Valid(in) && !json.Valid(got) {
			t.Fatalf("%q is no JSON any more: %q", in, got)
		}
	})
}

func BenchmarkText(b *testing.B) {
	stack, err := os.ReadFile("../stack/testdata/node.txt")
	if err != nil {
		b.Fatal(err)
	}
	plain := strings.Repeat("the worker has taken job 17 from the queue and will be done with it soon\n", 200)
	s := scrubber(b, Options{})
	for name, text := range map[string]string{
		"plain":   plain,
		"chinese": strings.Repeat("工作进程从队列中取得了任务，很快就会完成它。\n", 200),
		"stacks":  string(stack),
		"json":    strings.Repeat(`{"level":50,"time":1732579200000,"pid":17,"hostname":"web-1","req":{"id":3,"method":"GET","url":"/a"},"msg":"done"}`+"\n", 100),
		"secrets": strings.Repeat("user=li password=hunter2 Authorization: Bearer 0123456789abcdef\n", 200),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				s.Text(text)
			}
		})
	}
}
