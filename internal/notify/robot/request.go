package robot

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Target is where a robot is, and what its messages are signed with.
type Target struct {
	Kind   Kind
	URL    string // holds the robot's token
	Secret string // empty: messages are not signed
}

// Check says what is wrong with the target, without repeating it.
func (t Target) Check() error {
	u, err := url.Parse(t.URL)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("it holds no URL: put the address that the chat program shows for the robot, https://…, into the file")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return errors.New("its URL begins with http://, which would let others read the robot's token: use https://")
	case t.Secret != "" && t.Kind == WeCom:
		return errors.New("robots of WeCom do not know signatures: leave out secret_file")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".in-process") || ip != nil && ip.IsLoopback()
}

// Request is a message to the robot, signed. rest are the blocks that had no
// room in it.
func (t Target) Request(ctx context.Context, now time.Time, d Document) (r *http.Request, rest []Block, err error) {
	if err := t.Check(); err != nil {
		return nil, nil, err
	}
	body, rest := t.Kind.message(d)
	address := t.URL
	if t.Secret != "" {
		switch t.Kind {
		case DingTalk:
			address = signedURL(address, now, t.Secret)
		case Feishu:
			at := strconv.FormatInt(now.Unix(), 10)
			o := body.(object)
			o["timestamp"], o["sign"] = at, SignFeishu(at, t.Secret)
		}
	}
	r, err = http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(encoded(body)))
	if err != nil {
		return nil, nil, errors.New("its URL can not be asked") // err holds it
	}
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	r.Header.Set("User-Agent", "pm25")
	return r, rest, nil
}

func signedURL(address string, now time.Time, secret string) string {
	u, _ := url.Parse(address) // checked
	at := strconv.FormatInt(now.UnixMilli(), 10)
	q := u.Query()
	q.Set("timestamp", at)
	q.Set("sign", SignDingTalk(at, secret))
	u.RawQuery = q.Encode()
	return u.String()
}

// SignDingTalk signs a time in milliseconds: HMAC-SHA256 of time, newline and
// secret, by the secret; in base64.
func SignDingTalk(millis, secret string) string {
	return sign(secret, millis+"\n"+secret)
}

// SignFeishu signs a time in seconds: HMAC-SHA256 of nothing, by time, newline and
// secret; in base64.
func SignFeishu(seconds, secret string) string {
	return sign(seconds+"\n"+secret, "")
}

func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
