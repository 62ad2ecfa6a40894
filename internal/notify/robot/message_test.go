package robot

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// text is all markup of a message.
func text(t *testing.T, kind Kind, d Document) (markup string, body []byte, left int) {
	t.Helper()
	o, rest := kind.message(d)
	left = weight(rest) + d.Left
	body = encoded(o)
	switch kind {
	case DingTalk:
		return o.(object)["markdown"].(object)["text"].(string), body, left
	case WeCom:
		return o.(object)["markdown"].(object)["content"].(string), body, left
	}
	for _, e := range o.(object)["card"].(object)["elements"].([]any) {
		if content, ok := e.(object)["content"].(string); ok {
			markup += content + "\n"
		}
	}
	return markup, body, left
}

func more(left int) Line {
	return Line{Spans: []Span{Text(fmt.Sprintf("%d more: ", left)), Link("all", "https://pm25.example.com/alertmanager")}}
}

// hostile is what an app may say.
const hostile = "[click](http://evil.example/?a=1) <at id=all></at> <@all> @all @13800000000 ![i](http://evil.example/i.png) **b** `c` <font color=\"warning\">x</font> # h\n# heading\n> quote\u202e\u200b ~~s~~ __u__ http://evil.example"

func TestNothingBecomesMarkup(t *testing.T) {
	forbidden := regexp.MustCompile(`\]\(|<@|<at|<font|!\[|\*\*b|://evil|\n#|\n>|__u|@all|@1380|~~|` + "`c`|\u202e")
	for _, kind := range Kinds() {
		for name, span := range map[string]Span{"text": Text(hostile), "bold": Bold(hostile), "code": Code(hostile), "link": {Text: hostile}} {
			for _, quote := range []bool{false, true} {
				d := Document{Title: hostile, Blocks: []Block{{Lines: []Line{{Spans: []Span{Text("begin "), span}, Quote: quote}}}}}
				got, _, _ := text(t, kind, d)
				if got = strings.Replace(got, "\n> begin", "\nbegin", 1); forbidden.MatchString(got) {
					t.Errorf("%s, %s: %q in\n%s", kind, name, forbidden.FindString(got), got)
				}
			}
		}
	}
}

func TestNoRunOrBeginningOfALineBecomesMarkup(t *testing.T) {
	for _, kind := range Kinds() {
		for said, forbidden := range map[string]string{
			"~~~gone~~~": "~~", "___loud___": "__", "_____": "__",
			"---": "\n> ---", "===": "\n> ===", "- item": "\n> - ", "+ item": "\n> + ", "1. item": "\n> 1.", "12) item": "\n> 12)",
		} {
			for _, quote := range []bool{true, false} {
				got, _, _ := text(t, kind, Document{Title: "t", Blocks: []Block{{Lines: []Line{{Spans: []Span{Text("x")}}, {Quote: quote, Spans: []Span{Text(said)}}}}}})
				got = strings.ReplaceAll(got, "┃ ", "> ")
				if !quote {
					forbidden = strings.Replace(forbidden, "> ", "", 1)
				}
				if strings.Contains(got, forbidden) {
					t.Errorf("%s: %q in %q", kind, forbidden, got)
				}
			}
		}
		if got, _, _ := text(t, kind, Document{Title: "t", Blocks: []Block{{Lines: []Line{{Spans: []Span{Bold(`C:\`)}}}}}}); strings.Contains(got, `\**`) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestOrdinaryTextStaysAsItIs(t *testing.T) {
	const ordinary = "TypeError: user_id is not a function (routes/users.js:12), 50% > 3"
	for _, kind := range []Kind{DingTalk, WeCom} {
		got, _, _ := text(t, kind, Document{Title: "t", Blocks: []Block{{Lines: []Line{{Spans: []Span{Text(ordinary)}}}}}})
		if want := strings.ReplaceAll(ordinary, ">", "＞"); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}

func TestLinks(t *testing.T) {
	for address, want := range map[string]string{
		"https://a.example/x?q=a(b) c":                     "https://a.example/x?q=a%28b%29%20c",
		"https://a.example/?m=app%3D%22a%22":               "https://a.example/?m=app%3D%22a%22",
		"javascript:alert(1)":                              "",
		"dingtalk://x":                                     "",
		"/relative":                                        "",
		"https://user:hunter2@a.example/x":                 "https://a.example/x",
		"https://a.example/告警":                             "https://a.example/%E5%91%8A%E8%AD%A6",
		"https://a.example/" + strings.Repeat("x", maxURL): "",
		"https://a.example/x\"><at id=all>":                "https://a.example/x%22%3E%3Cat%20id=all%3E",
	} {
		if got := Link("x", address).URL; got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestMentions(t *testing.T) {
	d := Document{Title: "t", Mentions: []string{"13800000000", "user1", "a><@b"}, Blocks: []Block{{Lines: []Line{{Spans: []Span{Text("x")}}}}}}
	for kind, wants := range map[Kind][]string{
		DingTalk: {`"atMobiles":["13800000000"]`, `"atUserIds":["user1","a><@b"]`, `@13800000000 @user1 @ab`, `"isAtAll":false`},
		WeCom:    {`<@13800000000><@user1><@ab>`},
		Feishu:   {`<at id=13800000000></at><at id=user1></at><at id=ab></at>`},
	} {
		_, body, _ := text(t, kind, d)
		for _, want := range wants {
			if !strings.Contains(string(body), want) {
				t.Errorf("%s: no %s in %s", kind, want, body)
			}
		}
	}
	d.Mentions = []string{Everybody}
	if _, body, _ := text(t, DingTalk, d); !strings.Contains(string(body), `"isAtAll":true`) {
		t.Errorf("%s", body)
	}
}

// A message calls some, and says how many it does not; where all are called nobody
// is left out. It says so in a message that is full, too.
func TestManyMentions(t *testing.T) {
	for _, kind := range Kinds() {
		for people, want := range map[int]string{20: "", 21: "1 not called", 57: "37 not called"} {
			for _, blocks := range []int{1, 300} {
				d := long(blocks, 100, "x")
				d.Uncalled = func(n int) Line { return Line{Spans: []Span{Text(fmt.Sprintf("%d not called", n))}} }
				d.Mentions = nil
				for i := range people {
					d.Mentions = append(d.Mentions, fmt.Sprintf("user%03d", i))
				}
				markup, body, _ := text(t, kind, d)
				said := strings.Contains(markup, "not called")
				if said != (want != "") || !strings.Contains(markup, want) || !strings.Contains(string(body), "user019") || strings.Contains(string(body), "user020") {
					t.Errorf("%s, %d people:\n%s", kind, people, body)
				}
				d.Mentions = append(d.Mentions, Everybody)
				if markup, body, _ := text(t, kind, d); people >= MaxMentions && (strings.Contains(markup, "not called") || strings.Contains(string(body), "user0") || !strings.Contains(string(body), map[Kind]string{DingTalk: `"isAtAll":true`, Feishu: "<at id=all>", WeCom: "<@all>"}[kind])) {
					t.Errorf("%s, %d people and all:\n%s", kind, people, body)
				}
			}
		}
	}
}

// long is a document of so many blocks, each with all kinds of lines.
func long(blocks, size int, word string) Document {
	d := Document{Title: strings.Repeat(word, size), More: more, Foot: Line{Spans: []Span{Text("PM25")}}, Mentions: []string{"user"}}
	for i := range blocks {
		filler := strings.Repeat(word, size)
		d.Blocks = append(d.Blocks, Block{Weight: i + 1, Lines: []Line{
			{Spans: []Span{Bold(fmt.Sprintf("block%d ", i) + filler)}},
			{Rank: Detail, Spans: []Span{Text(filler)}},
			{Rank: Log, Quote: true, Spans: []Span{Text(filler)}},
			{Rank: Links, Links: true, Spans: []Span{Link("Dashboard", "https://a.example/d?"+filler), Link("Runbook", "https://a.example/r")}},
		}})
	}
	return d
}

func TestFits(t *testing.T) {
	link := regexp.MustCompile(`\[[^\]]*\]\([^)\s]*\)`)
	for _, kind := range Kinds() {
		for _, word := range []string{"x", "告警", "\"", "<", "🔥"} {
			for _, blocks := range []int{1, 7, 300} {
				for _, size := range []int{1, 100, 5000} {
					d := long(blocks, size, word)
					markup, body, left := text(t, kind, d)
					size := len(body)
					if kind == WeCom {
						size = len(markup)
					}
					if size > kind.Limit().Bytes {
						t.Fatalf("%s: %d bytes of %d", kind, size, kind.Limit().Bytes)
					}
					if !utf8.Valid(body) || strings.Contains(markup, "\uFFFD") {
						t.Fatalf("%s: cut within a character", kind)
					}
					if n := strings.Count(markup, "]("); n != len(link.FindAllString(markup, -1)) {
						t.Fatalf("%s: a link is cut in\n%s", kind, markup)
					}
					told := 0
					for i := range blocks {
						if strings.Contains(markup, fmt.Sprintf("block%d ", i)) {
							told += i + 1
						}
					}
					if all := blocks * (blocks + 1) / 2; told+left != all {
						t.Fatalf("%s, %d blocks of %d %q: %d told and %d left of %d", kind, blocks, size, word, told, left, all)
					}
					if (left > 0) != strings.Contains(markup, fmt.Sprintf("%d more: ", left)) {
						t.Fatalf("%s: %d left, and it does not say so:\n%s", kind, left, markup)
					}
					if told == 0 || !strings.Contains(markup, "block0 ") || !strings.Contains(markup, "PM25") {
						t.Fatalf("%s: the first block or the foot is missing:\n%s", kind, markup)
					}
				}
			}
		}
	}
}

func TestButtons(t *testing.T) {
	_, body, _ := text(t, Feishu, long(1, 1, "x"))
	want := `{"actions":[{"tag":"button","text":{"content":"Dashboard","tag":"plain_text"},"type":"default","url":"https://a.example/d?x"},{"tag":"button","text":{"content":"Runbook","tag":"plain_text"},"type":"default","url":"https://a.example/r"}],"tag":"action"}`
	if !strings.Contains(string(body), want) {
		t.Errorf("%s", body)
	}
}

func FuzzMessage(f *testing.F) {
	f.Add(hostile, "https://a.example/(x)", "user", 3)
	f.Add("\xff\xfe", "http://[", "<>", 90)
	f.Fuzz(func(t *testing.T, said, address, who string, blocks int) {
		d := Document{Title: said, Mentions: []string{who}, More: more}
		for range min(max(blocks, 0), 12) {
			d.Blocks = append(d.Blocks, Block{Weight: 1, Lines: []Line{
				{Spans: []Span{Bold(said), Text(said)}}, {Rank: Log, Quote: true, Spans: []Span{Code(said)}}, {Rank: Links, Links: true, Spans: []Span{Link(said, address)}},
			}})
		}
		for _, kind := range Kinds() {
			markup, body, _ := text(t, kind, d)
			size := len(body)
			if kind == WeCom {
				size = len(markup)
			}
			if size > kind.Limit().Bytes || !utf8.Valid(body) {
				t.Fatalf("%s: %d bytes", kind, size)
			}
			for _, bad := range []string{"<@all>", "<at id=all>", "](javascript"} {
				if strings.Contains(markup, bad) && who != Everybody {
					t.Fatalf("%s: %q in %s", kind, bad, markup)
				}
			}
		}
	})
}
