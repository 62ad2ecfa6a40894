package robot

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/catalog"
)

// MaxAnswer bounds what of an answer is read, in bytes.
const MaxAnswer = 64 << 10

// Verdict is what a robot said of a message.
type Verdict struct {
	Reason string // of catalog.NotifyFailures; empty: it took the message
	Code   int    // of the answer's body, or its HTTP status where that has none
	Retry  bool   // it may take the same message later
	// RetryAfter is what the robot asked for; 0: it did not say.
	RetryAfter time.Duration
	Advice     string // what an operator has to do; no secrets
}

// OK is true where the robot took the message.
func (v Verdict) OK() bool { return v.Reason == "" }

// Judge reads a robot's answer: its HTTP status alone says nothing, as robots
// answer 200 to what they do not take. What they say in words is looked at, and
// not passed on.
func (k Kind) Judge(status int, header http.Header, body []byte) Verdict {
	a, found := readAnswer(body)
	switch {
	case status == http.StatusTooManyRequests:
		return Verdict{Reason: catalog.NotifyRateLimited, Code: status, Retry: true, RetryAfter: retryAfter(header), Advice: adviceRate}
	case status >= 500:
		return Verdict{Reason: catalog.NotifyServer, Code: status, Retry: true, RetryAfter: retryAfter(header), Advice: adviceServer}
	case found && a.code != 0:
		return k.known(a)
	case status/100 == 2 && found:
		return Verdict{}
	case status/100 == 2:
		return Verdict{Reason: catalog.NotifyAnswer, Code: status, Retry: true, Advice: adviceAnswer}
	case status/100 == 3, status == http.StatusNotFound, status == http.StatusUnauthorized, status == http.StatusForbidden:
		return Verdict{Reason: catalog.NotifyToken, Code: status, Advice: adviceToken}
	}
	return Verdict{Reason: catalog.NotifyRefused, Code: status, Advice: adviceRefused}
}

// answer is what all kinds' bodies have in common.
type answer struct {
	code int
	text string // lower case
}

func readAnswer(body []byte) (a answer, found bool) {
	var all struct {
		ErrCode    *json.Number `json:"errcode"` // DingTalk, WeCom
		ErrMsg     string       `json:"errmsg"`
		Code       *json.Number `json:"code"` // Feishu
		Msg        string       `json:"msg"`
		StatusCode *json.Number `json:"StatusCode"` // Feishu, of old
	}
	if json.Unmarshal(body, &all) != nil {
		return answer{}, false
	}
	for _, n := range []*json.Number{all.ErrCode, all.Code, all.StatusCode} {
		if n == nil {
			continue
		}
		code, err := strconv.Atoi(n.String())
		return answer{code, strings.ToLower(all.ErrMsg + all.Msg)}, err == nil
	}
	return answer{}, false
}

// known finds the code in the kind's table.
func (k Kind) known(a answer) Verdict {
	table := map[Kind]map[int]string{DingTalk: dingTalkCodes, Feishu: feishuCodes, WeCom: weComCodes}[k]
	reason, ok := table[a.code]
	switch {
	case !ok:
		reason = catalog.NotifyRefused
	case reason == "":
		reason = byText(a.text)
	}
	v := Verdict{Reason: reason, Code: a.code, Advice: advice[reason]}
	v.Retry = reason == catalog.NotifyRateLimited || reason == catalog.NotifyServer
	return v
}

// byText is for codes that stand for several things. DingTalk's text is in English
// or Chinese.
func byText(text string) string {
	for _, m := range []struct{ word, reason string }{
		{"keyword", catalog.NotifyKeyword},
		{"关键词", catalog.NotifyKeyword},
		{"sign", catalog.NotifySignature},
		{"timestamp", catalog.NotifySignature},
		{"签名", catalog.NotifySignature},
		{"whitelist", catalog.NotifyAddress},
		{"白名单", catalog.NotifyAddress},
		{"ip ", catalog.NotifyAddress},
		{"too many", catalog.NotifyRateLimited},
		{"frequency", catalog.NotifyRateLimited},
		{"exceed max length", catalog.NotifyTooLong},
	} {
		if strings.Contains(text, m.word) {
			return m.reason
		}
	}
	return catalog.NotifyMalformed
}

// Codes of each kind, with what they mean; "": its text tells.
var (
	dingTalkCodes = map[int]string{
		-1:     catalog.NotifyServer,
		130101: catalog.NotifyRateLimited, 410100: catalog.NotifyRateLimited, 302033: catalog.NotifyRateLimited, 90018: catalog.NotifyRateLimited,
		310000: "",
		300001: catalog.NotifyToken, 300005: catalog.NotifyToken, 400101: catalog.NotifyToken, 400102: catalog.NotifyToken, 400106: catalog.NotifyToken, 400013: catalog.NotifyToken,
		40035: catalog.NotifyMalformed, 43004: catalog.NotifyMalformed, 400105: catalog.NotifyMalformed,
		460101: catalog.NotifyTooLong,
		430101: catalog.NotifyContent, 430102: catalog.NotifyContent, 430103: catalog.NotifyContent, 430104: catalog.NotifyContent,
	}
	feishuCodes = map[int]string{
		11232: catalog.NotifyRateLimited, 11233: catalog.NotifyRateLimited, 11247: catalog.NotifyRateLimited, 230020: catalog.NotifyRateLimited, 99991400: catalog.NotifyRateLimited,
		9499:  "",
		19001: catalog.NotifyToken, 19021: catalog.NotifySignature, 19022: catalog.NotifyAddress, 19024: catalog.NotifyKeyword,
		19002: catalog.NotifyMalformed, 11246: catalog.NotifyMalformed,
	}
	weComCodes = map[int]string{
		-1:    catalog.NotifyServer,
		45009: catalog.NotifyRateLimited, 45033: catalog.NotifyRateLimited,
		93000: catalog.NotifyToken, 93004: catalog.NotifyToken, 93008: catalog.NotifyToken,
		40058: "", 40008: catalog.NotifyMalformed, 44004: catalog.NotifyMalformed,
		45002: catalog.NotifyTooLong,
		60020: catalog.NotifyAddress,
	}
)

const (
	adviceRate    = "nothing: it is left alone for a while, and told again; if it lasts, others post to the same robot, or more groups of alerts need robots of their own"
	adviceServer  = "nothing: it is told again"
	adviceAnswer  = "look what answers at the robot's URL: a proxy or a login page, and no robot"
	adviceToken   = "copy the robot's URL anew from the group's settings into its url_file: the robot is not there, disabled, or the token is wrong"
	adviceRefused = "look the code up in the documentation of the chat program"
)

var advice = map[string]string{
	catalog.NotifyRateLimited: adviceRate,
	catalog.NotifyServer:      adviceServer,
	catalog.NotifyToken:       adviceToken,
	catalog.NotifyRefused:     adviceRefused,
	catalog.NotifySignature:   "copy the robot's signing secret into its secret_file, and see that this machine's clock is right",
	catalog.NotifyKeyword:     "give the robot the keyword PM25, which is in each message, or use a signature instead",
	catalog.NotifyAddress:     "let the robot take messages from this machine's address, or use a signature instead",
	catalog.NotifyMalformed:   "tell the makers of PM25: the robot does not understand the message",
	catalog.NotifyTooLong:     "tell the makers of PM25: the message is longer than the robot takes",
	catalog.NotifyContent:     "the chat program takes words or links of the message for improper",
}

// retryAfter reads the header, in seconds; dates are not in use.
func retryAfter(h http.Header) time.Duration {
	s, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || s < 0 {
		return 0
	}
	return min(time.Duration(s)*time.Second, maxPause)
}
