// Package robottest has robots that answer as those of DingTalk, Feishu and WeCom
// do by their documentation, for tests of what speaks to them:
//
//   - DingTalk (custom robots): POST /robot/send?access_token=…, signed by
//     &timestamp= in milliseconds and &sign=, within an hour; answers 200 with
//     {"errcode", "errmsg"}: 300001 for a wrong token, 310000 for a wrong signature
//     or where no keyword of the robot's is in the message, 40035 and 400105 for
//     what it does not understand, 460101 for a body of more than 20 000 bytes,
//     130101 for more than 20 messages in a minute and for ten minutes from then on.
//   - Feishu (custom bots): POST /open-apis/bot/v2/hook/TOKEN, signed by timestamp
//     in seconds and sign in the body, within an hour; answers {"code", "msg"}:
//     19001 for a wrong token, 19021 for a wrong signature, 19024 for a missing
//     keyword, 9499 for what it does not understand or is larger than 20 KB,
//     11232 for more than 100 messages a minute or 5 a second.
//   - WeCom (group robots): POST /cgi-bin/webhook/send?key=…; answers 200 with
//     {"errcode", "errmsg"}: 93000 for a wrong key, 40008 and 40058 for what it does
//     not understand or is longer than 4096 bytes, 45009 for more than 20 messages
//     in a minute.
//
// A test can have each answer otherwise: with another code or HTTP status, late,
// or not at all. What a robot took is kept, with whom it called.
package robottest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/notify/robot"
)

// Token is in the URL of each robot.
const Token = "0f1e2d3c4b5a-token-of-the-robot"

// Robot is one robot, which serves HTTP.
type Robot struct {
	Kind    robot.Kind
	Secret  string // messages have to be signed with it; empty: not
	Keyword string // has to be in each message; empty: none
	Now     func() time.Time

	mu      sync.Mutex
	taken   []Taken
	asked   []time.Time
	blocked time.Time
	script  []Answer
	changed chan struct{}
}

// Taken is a message that a robot took.
type Taken struct {
	At    time.Time
	Bytes int // of the body
	// Text is what people read, as markdown; Title and Buttons (text and address) are
	// Feishu's own.
	Text, Title string
	Buttons     [][2]string
	Mentions    []string // as the kind names them; "all" for everybody
	Body        string
}

// Answer is what a robot does instead of what it would.
type Answer struct {
	Status int           // 0: 200
	Code   int           // of the body
	Text   string        // beside the code
	Body   string        // instead of code and text
	Header [2]string     // one more
	Slow   time.Duration // before it answers
	Drop   bool          // closes the connection
	Take   bool          // takes the message all the same
}

// New returns a robot that takes what is right.
func New(kind robot.Kind, secret string, now func() time.Time) *Robot {
	return &Robot{Kind: kind, Secret: secret, Now: now, changed: make(chan struct{}, 1)}
}

// URL is where the robot is, at a server's address such as "http://127.0.0.1:80".
func (r *Robot) URL(server string) string {
	return server + map[robot.Kind]string{
		robot.DingTalk: "/robot/send?access_token=", robot.Feishu: "/open-apis/bot/v2/hook/", robot.WeCom: "/cgi-bin/webhook/send?key=",
	}[r.Kind] + Token
}

// Script has the next messages answered so.
func (r *Robot) Script(answers ...Answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.script = append(r.script, answers...)
}

// Taken lists what was taken.
func (r *Robot) Taken() []Taken {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Taken(nil), r.taken...)
}

// Asked is when messages came, taken or not.
func (r *Robot) Asked() []time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]time.Time(nil), r.asked...)
}

// Changed is told after each message.
func (r *Robot) Changed() <-chan struct{} { return r.changed }

func (r *Robot) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(io.LimitReader(req.Body, 1<<20))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() {
		select {
		case r.changed <- struct{}{}:
		default:
		}
	}()
	now := r.Now()
	r.mu.Lock()
	r.asked = append(r.asked, now)
	var a *Answer
	if len(r.script) > 0 {
		a, r.script = &r.script[0], r.script[1:]
	}
	code, text, message := 0, "ok", Taken{}
	if a == nil || a.Take || a.Slow > 0 && a.Code == 0 && a.Status == 0 {
		code, text, message = r.judge(req, body, now)
	}
	if code == 0 && message.Body != "" {
		r.taken = append(r.taken, message)
	}
	r.mu.Unlock()
	if a != nil {
		r.follow(w, req, *a)
		return
	}
	r.answer(w, http.StatusOK, code, text)
}

// follow does what a test asked for.
func (r *Robot) follow(w http.ResponseWriter, req *http.Request, a Answer) {
	if a.Slow > 0 {
		timer := time.NewTimer(a.Slow)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-req.Context().Done():
		}
	}
	if a.Drop {
		panic(http.ErrAbortHandler)
	}
	if a.Header[0] != "" {
		w.Header().Set(a.Header[0], a.Header[1])
	}
	status := a.Status
	if status == 0 {
		status = http.StatusOK
	}
	if a.Body != "" {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, a.Body)
		return
	}
	r.answer(w, status, a.Code, a.Text)
}

func (r *Robot) answer(w http.ResponseWriter, status, code int, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	names := [2]string{"errcode", "errmsg"}
	if r.Kind == robot.Feishu {
		names = [2]string{"code", "msg"}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{names[0]: code, names[1]: text})
}

// judge is what the robot would answer. r.mu is held.
func (r *Robot) judge(req *http.Request, body []byte, now time.Time) (code int, text string, t Taken) {
	if code, text := r.rate(now); code != 0 {
		return code, text, t
	}
	switch r.Kind {
	case robot.DingTalk:
		code, text, t = r.dingTalk(req, body, now)
	case robot.Feishu:
		code, text, t = r.feishu(req, body, now)
	default:
		code, text, t = r.weCom(req, body)
	}
	t.At, t.Bytes, t.Body = now, len(body), string(body)
	return code, text, t
}

// rate counts what was taken.
func (r *Robot) rate(now time.Time) (code int, text string) {
	within := func(d time.Duration) (n int) {
		for _, t := range r.taken {
			if now.Sub(t.At) < d {
				n++
			}
		}
		return n
	}
	switch r.Kind {
	case robot.DingTalk:
		if within(time.Minute) >= 20 {
			r.blocked = now.Add(10 * time.Minute)
		}
		if now.Before(r.blocked) {
			return 130101, "send too fast, exceed 20 times per minute"
		}
	case robot.Feishu:
		if within(time.Minute) >= 100 || within(time.Second) >= 5 {
			return 11232, "frequency limited psm"
		}
	case robot.WeCom:
		if within(time.Minute) >= 20 {
			return 45009, "api freq out of limit"
		}
	}
	return 0, ""
}

func signature(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = io.WriteString(mac, text)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// fresh tells whether a timestamp, in units of so long, is of this hour.
func fresh(text string, unit time.Duration, now time.Time) bool {
	n, err := strconv.ParseInt(text, 10, 64)
	return err == nil && now.Sub(time.Unix(0, n*int64(unit))).Abs() < time.Hour
}

func (r *Robot) lacksKeyword(body []byte) bool {
	return r.Keyword != "" && !strings.Contains(string(body), r.Keyword)
}

func (r *Robot) dingTalk(req *http.Request, body []byte, now time.Time) (int, string, Taken) {
	var t Taken
	q := req.URL.Query()
	var m struct {
		MsgType  string
		Markdown struct{ Title, Text string }
		At       struct {
			AtMobiles, AtUserIDs []string
			IsAtAll              bool
		}
	}
	at := q.Get("timestamp")
	switch {
	case req.URL.Path != "/robot/send" || q.Get("access_token") != Token:
		return 300001, "token is not exist", t
	case r.Secret != "" && !fresh(at, time.Millisecond, now):
		return 310000, "invalid timestamp", t
	case r.Secret != "" && q.Get("sign") != signature(r.Secret, at+"\n"+r.Secret):
		return 310000, "sign not match", t
	case len(body) > 20_000:
		return 460101, "message too long, exceed 20000 bytes", t
	case json.Unmarshal(body, &m) != nil || m.Markdown.Title == "" || m.Markdown.Text == "":
		return 40035, "missing parameter json", t
	case m.MsgType != "markdown":
		return 400105, "unsupported msgtype", t
	case r.lacksKeyword(body):
		return 310000, "keywords not in content", t
	}
	t.Text, t.Title = m.Markdown.Text, m.Markdown.Title
	for _, who := range append(m.At.AtMobiles, m.At.AtUserIDs...) {
		if strings.Contains(t.Text, "@"+who) { // else nobody sees who is called
			t.Mentions = append(t.Mentions, who)
		}
	}
	if m.At.IsAtAll {
		t.Mentions = append(t.Mentions, "all")
	}
	return 0, "ok", t
}

func (r *Robot) weCom(req *http.Request, body []byte) (int, string, Taken) {
	var t Taken
	var m struct {
		MsgType  string
		Markdown struct{ Content string }
	}
	switch {
	case req.URL.Path != "/cgi-bin/webhook/send" || req.URL.Query().Get("key") != Token:
		return 93000, "invalid webhook url, hint: [1732000000], more info at https://open.work.weixin.qq.com/devtool/query?e=93000", t
	case json.Unmarshal(body, &m) != nil || m.Markdown.Content == "":
		return 40058, "invalid Request Parameter", t
	case m.MsgType != "markdown":
		return 40008, "invalid message type", t
	case len(m.Markdown.Content) > 4096:
		return 40058, "markdown.content exceed max length 4096. invalid Request Parameter", t
	}
	t.Text = m.Markdown.Content
	t.Mentions = between(t.Text, "<@", ">")
	return 0, "ok", t
}

func (r *Robot) feishu(req *http.Request, body []byte, now time.Time) (int, string, Taken) {
	var t Taken
	var m struct {
		Timestamp, Sign string
		MsgType         string `json:"msg_type"`
		Card            struct {
			Header struct {
				Template string
				Title    struct{ Content string }
			}
			Elements []struct {
				Tag, Content string
				Actions      []struct {
					Text struct{ Content string }
					URL  string
				}
			}
		}
	}
	err := json.Unmarshal(body, &m)
	switch {
	case req.URL.Path != "/open-apis/bot/v2/hook/"+Token:
		return 19001, "param invalid: incoming webhook access token invalid", t
	case err != nil:
		return 9499, "Bad Request", t
	case len(body) > 20<<10:
		return 9499, "Bad Request: body is too large", t
	case r.Secret != "" && (!fresh(m.Timestamp, time.Second, now) || m.Sign != signature(m.Timestamp+"\n"+r.Secret, "")):
		return 19021, "sign match fail or timestamp is not within one hour from current time", t
	case m.MsgType != "interactive" || m.Card.Header.Title.Content == "" || len(m.Card.Elements) == 0:
		return 19002, "params error, msg_type need", t
	case r.lacksKeyword(body):
		return 19024, "Key Words Not Found", t
	}
	var text []string
	for _, e := range m.Card.Elements {
		if e.Tag == "markdown" {
			text = append(text, e.Content)
		}
		for _, a := range e.Actions {
			t.Buttons = append(t.Buttons, [2]string{a.Text.Content, a.URL})
		}
	}
	t.Title, t.Text = m.Card.Header.Title.Content, strings.Join(text, "\n")
	t.Mentions = between(t.Text, "<at id=", "></at>")
	return 0, "success", t
}

// between lists what stands between each begin and end.
func between(text, begin, end string) (out []string) {
	for {
		_, rest, found := strings.Cut(text, begin)
		inner, after, closed := strings.Cut(rest, end)
		if !found || !closed {
			return out
		}
		out, text = append(out, inner), after
	}
}

// String names the robot in a test's log.
func (r *Robot) String() string {
	return fmt.Sprintf("%s robot with %d messages", r.Kind, len(r.Taken()))
}
