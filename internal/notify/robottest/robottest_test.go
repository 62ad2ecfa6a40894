package robottest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/notify/robot"
)

// send posts a message to a robot and returns what it says.
func send(t *testing.T, r *Robot, target robot.Target, now time.Time, text string) robot.Verdict {
	t.Helper()
	d := robot.Document{Title: "PM25", Mentions: []string{"13800000000"}, Blocks: []robot.Block{{Lines: []robot.Line{{Spans: []robot.Span{robot.Text(text)}}}}}}
	req, _, err := target.Request(context.Background(), now, d)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return r.Kind.Judge(w.Code, w.Header(), w.Body.Bytes())
}

func TestRobots(t *testing.T) {
	for _, c := range []struct {
		kind        robot.Kind
		secret      string
		most        int           // at once
		again       time.Duration // when it takes messages again
		rate, token int
	}{
		{robot.DingTalk, "secret", 20, 10 * time.Minute, 130101, 300001},
		{robot.Feishu, "secret", 5, time.Second, 11232, 19001},
		{robot.WeCom, "", 20, time.Minute, 45009, 93000},
	} {
		t.Run(string(c.kind), func(t *testing.T) {
			now := time.Unix(1732590000, 0)
			r := New(c.kind, c.secret, func() time.Time { return now })
			target := robot.Target{Kind: c.kind, URL: r.URL("http://127.0.0.1"), Secret: c.secret}
			for i := range c.most {
				if v := send(t, r, target, now, "x"); !v.OK() {
					t.Fatalf("message %d: %+v", i, v)
				}
			}
			if v := send(t, r, target, now, "x"); v.Code != c.rate || !v.Retry {
				t.Errorf("one too many: %+v", v)
			}
			now = now.Add(c.again - time.Millisecond)
			if v := send(t, r, target, now, "x"); v.Code != c.rate {
				t.Errorf("too early: %+v", v)
			}
			now = now.Add(time.Hour)
			if v := send(t, r, target, now, "x"); !v.OK() {
				t.Errorf("later: %+v", v)
			}
			if m := r.Taken()[0]; len(m.Mentions) != 1 || m.Mentions[0] != "13800000000" || m.Text == "" {
				t.Errorf("%+v", m)
			}
			if c.secret != "" {
				wrong := target
				wrong.Secret = "other"
				if v := send(t, r, wrong, now, "x"); v.Reason != "signature" {
					t.Errorf("another secret: %+v", v)
				}
				if v := send(t, r, target, now.Add(-2*time.Hour), "x"); v.Reason != "signature" {
					t.Errorf("an old signature: %+v", v)
				}
				r.Keyword = "deploys"
				if v := send(t, r, target, now, "x"); v.Reason != "keyword" {
					t.Errorf("no keyword: %+v", v)
				}
			}
			target.URL += "x"
			if v := send(t, r, target, now, "x"); v.Code != c.token || v.Reason != "token" {
				t.Errorf("another token: %+v", v)
			}
		})
	}
}

// What is larger than a robot takes is refused, and what it does not understand.
func TestBodies(t *testing.T) {
	for kind, c := range map[robot.Kind]struct {
		long, bad string
		tooLong   string
	}{
		robot.DingTalk: {`{"msgtype":"markdown","markdown":{"title":"t","text":"` + strings.Repeat("x", 20_000) + `"}}`, `{"msgtype":"markdown"}`, "too_long"},
		robot.WeCom:    {`{"msgtype":"markdown","markdown":{"content":"` + strings.Repeat("x", 4097) + `"}}`, `{"msgtype":"markdown"}`, "too_long"},
		robot.Feishu:   {`{"msg_type":"interactive","x":"` + strings.Repeat("x", 20<<10) + `"}`, `{"msg_type":"interactive"}`, "malformed"},
	} {
		r := New(kind, "", time.Now)
		for body, want := range map[string]string{c.long: c.tooLong, c.bad: "malformed", "x": "malformed"} {
			w := httptest.NewRecorder()
			r.ServeHTTP(w, httptest.NewRequest(http.MethodPost, r.URL("http://127.0.0.1"), strings.NewReader(body)))
			if v := kind.Judge(w.Code, w.Header(), w.Body.Bytes()); v.Reason != want {
				t.Errorf("%s, %.30s: %+v", kind, body, v)
			}
		}
		if len(r.Taken()) > 0 {
			t.Errorf("%s took %v", kind, r.Taken())
		}
	}
}
