package robot

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/catalog"
)

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		kind   Kind
		status int
		body   string
		reason string
		retry  bool
	}{
		{DingTalk, 200, `{"errcode":0,"errmsg":"ok"}`, "", false},
		{DingTalk, 200, `{"errcode":130101,"errmsg":"send too fast"}`, catalog.NotifyRateLimited, true},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"sign not match, more: [x]"}`, catalog.NotifySignature, false},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"keywords not in content"}`, catalog.NotifyKeyword, false},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"ip 1.2.3.4 not in whitelist"}`, catalog.NotifyAddress, false},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"description:签名不匹配;solution:看时间戳"}`, catalog.NotifySignature, false},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"错误描述:关键词不匹配"}`, catalog.NotifyKeyword, false},
		{DingTalk, 200, `{"errcode":310000,"errmsg":"错误描述:IP不在白名单中"}`, catalog.NotifyAddress, false},
		{DingTalk, 200, `{"errcode":300001,"errmsg":"token is not exist"}`, catalog.NotifyToken, false},
		{DingTalk, 200, `{"errcode":460101}`, catalog.NotifyTooLong, false},
		{DingTalk, 200, `{"errcode":-1,"errmsg":"system busy"}`, catalog.NotifyServer, true},
		{DingTalk, 200, `{"errcode":777777}`, catalog.NotifyRefused, false},
		{DingTalk, 200, `<html>please log in</html>`, catalog.NotifyAnswer, true},
		{DingTalk, 200, `{}`, catalog.NotifyAnswer, true},
		{DingTalk, 429, ``, catalog.NotifyRateLimited, true},
		{DingTalk, 502, `{"errcode":0}`, catalog.NotifyServer, true},
		{DingTalk, 302, ``, catalog.NotifyToken, false},
		{DingTalk, 404, ``, catalog.NotifyToken, false},
		{Feishu, 200, `{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}`, "", false},
		{Feishu, 200, `{"StatusCode":0}`, "", false},
		{Feishu, 200, `{"code":11232,"msg":"frequency limited psm"}`, catalog.NotifyRateLimited, true},
		{Feishu, 400, `{"code":9499,"msg":"too many request"}`, catalog.NotifyRateLimited, true},
		{Feishu, 400, `{"code":99991400,"msg":"request trigger frequency limit"}`, catalog.NotifyRateLimited, true},
		{Feishu, 200, `{"code":9499,"msg":"Bad Request"}`, catalog.NotifyMalformed, false},
		{Feishu, 200, `{"code":19021,"msg":"sign match fail"}`, catalog.NotifySignature, false},
		{Feishu, 200, `{"code":19024,"msg":"Key Words Not Found"}`, catalog.NotifyKeyword, false},
		{Feishu, 200, `{"code":19022,"msg":"Ip Not Allowed"}`, catalog.NotifyAddress, false},
		{Feishu, 404, `{"code":19001,"msg":"x"}`, catalog.NotifyToken, false},
		{WeCom, 200, `{"errcode":0,"errmsg":"ok"}`, "", false},
		{WeCom, 200, `{"errcode":45009,"errmsg":"api freq out of limit"}`, catalog.NotifyRateLimited, true},
		{WeCom, 200, `{"errcode":93000,"errmsg":"invalid webhook url"}`, catalog.NotifyToken, false},
		{WeCom, 200, `{"errcode":40058,"errmsg":"markdown.content exceed max length 4096"}`, catalog.NotifyTooLong, false},
		{WeCom, 200, `{"errcode":40058,"errmsg":"invalid Request Parameter"}`, catalog.NotifyMalformed, false},
		{WeCom, 400, `nonsense`, catalog.NotifyRefused, false},
	} {
		v := c.kind.Judge(c.status, nil, []byte(c.body))
		if v.Reason != c.reason || v.Retry != c.retry || v.OK() != (c.reason == "") {
			t.Errorf("%s %d %s: %+v, want %q", c.kind, c.status, c.body, v, c.reason)
		}
		if !v.OK() && (v.Advice == "" || v.Code == 0 || !slices.Contains(catalog.NotifyFailures(), v.Reason)) {
			t.Errorf("%s %d %s: %+v lacks something", c.kind, c.status, c.body, v)
		}
	}
	for header, want := range map[string]time.Duration{"": 0, "7": 7 * time.Second, "-1": 0, "999999": maxPause, "soon": 0} {
		if v := DingTalk.Judge(429, http.Header{"Retry-After": {header}}, nil); v.RetryAfter != want {
			t.Errorf("Retry-After %q: %s", header, v.RetryAfter)
		}
	}
}

// What the robot is sent stays below what it takes, whenever one begins to count.
func TestLimits(t *testing.T) {
	for kind, c := range map[Kind]struct {
		minute, second int
	}{DingTalk: {20, 20}, WeCom: {20, 20}, Feishu: {100, 5}} {
		l := kind.Limit()
		for window, most := range map[time.Duration]int{time.Minute: c.minute, time.Second: c.second} {
			if n := l.Burst + int(window/l.Every); n > most {
				t.Errorf("%s: %d messages in %s, of %d", kind, n, window, most)
			}
		}
		if p := l.PauseAfter(1); p != l.Pause || l.PauseAfter(2) != 2*p || l.PauseAfter(100) != maxPause {
			t.Errorf("%s: pauses %s, %s, %s", kind, p, l.PauseAfter(2), l.PauseAfter(100))
		}
	}
}
