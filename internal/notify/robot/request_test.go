package robot

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The answers were computed with openssl: HMAC-SHA256 as the chat programs
// document it.
func TestSignatures(t *testing.T) {
	if got := SignDingTalk("1732590000000", "SECtest0secret"); got != "THLRmCNluHEbO2XMEyOWkk7NgSv2gQTCCz60npMhltk=" {
		t.Errorf("DingTalk %s", got)
	}
	if got := SignFeishu("1732590000", "larktest0secret"); got != "WRtXXpvWKXB/SZQDg5lZg4SfiC9rVpCVLjVs0DKouxI=" {
		t.Errorf("Feishu %s", got)
	}
}

var at = time.Unix(1732590000, 0)

func request(t *testing.T, target Target, d Document) (*http.Request, string) {
	t.Helper()
	r, _, err := target.Request(t.Context(), at, d)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r, string(body)
}

func TestRequests(t *testing.T) {
	d := Document{Title: "title", Blocks: []Block{{Lines: []Line{{Spans: []Span{Text("text")}}}}}}
	r, body := request(t, Target{DingTalk, "https://oapi.dingtalk.com/robot/send?access_token=abc", "SECtest0secret"}, d)
	if q := r.URL.Query(); q.Get("access_token") != "abc" || q.Get("timestamp") != "1732590000000" || q.Get("sign") != SignDingTalk("1732590000000", "SECtest0secret") || strings.Contains(body, "sign") {
		t.Errorf("DingTalk: %s %s", r.URL, body)
	}
	r, body = request(t, Target{Feishu, "https://open.feishu.cn/open-apis/bot/v2/hook/abc", "larktest0secret"}, d)
	var m struct{ Timestamp, Sign string }
	if err := json.Unmarshal([]byte(body), &m); err != nil || m.Timestamp != "1732590000" || m.Sign != SignFeishu("1732590000", "larktest0secret") || r.URL.RawQuery != "" {
		t.Errorf("Feishu: %s %s", r.URL, body)
	}
	r, body = request(t, Target{WeCom, "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=abc", ""}, d)
	if r.URL.RawQuery != "key=abc" || body != `{"markdown":{"content":"### title\n\ntext"},"msgtype":"markdown"}` {
		t.Errorf("WeCom: %s %s", r.URL, body)
	}
}

func TestErrorsDoNotHoldTheURL(t *testing.T) {
	for _, target := range []Target{
		{Kind: DingTalk},
		{Kind: DingTalk, URL: "hunter2"},
		{Kind: DingTalk, URL: "https://x/%zzhunter2"},
		{Kind: Feishu, URL: "ftp://x/hunter2"},
		{Kind: Feishu, URL: "http://example.com/hunter2"},
		{Kind: WeCom, URL: "https://x/hunter2", Secret: "hunter2"},
		{Kind: WeCom, URL: "https://x\x7f/hunter2"},
	} {
		_, _, err := target.Request(t.Context(), at, Document{})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", target, err)
		}
	}
}
