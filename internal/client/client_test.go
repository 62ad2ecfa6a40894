package client

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestAnswers: what is no answer becomes an error that names the fix.
func TestAnswers(t *testing.T) {
	for body, want := range map[string]struct {
		code int
		says string
	}{
		`{"status":"error","error":"no such thing"}`: {404, "404: no such thing"},
		"<html>login</html>":                         {200, "is it a pm25 server?"},
		"please log in":                              {401, "--token-file"},
		"\x1b[2Jmoved":                               {302, "--server.url"},
		"evil \x1b[2J":                               {500, "evil \uFFFD[2J"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://192.0.2.1/")
			w.WriteHeader(want.code)
			_, _ = w.Write([]byte(body))
		}))
		_, err := newClient(t, Options{URL: s.URL}).Buckets(context.Background())
		if err == nil || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: %v, want %q", body, err, want.says)
		}
		s.Close()
		_, err = newClient(t, Options{URL: s.URL}).Buckets(context.Background())
		if err == nil || !strings.Contains(err.Error(), "is pm25 server or pm25 up running there") {
			t.Errorf("nobody there: %v", err)
		}
	}
	for _, url := range []string{"", "127.0.0.1:9725", "ftp://x", "http://", "http://x/path"} {
		if _, err := New(Options{URL: url}); err == nil || !strings.Contains(err.Error(), "--server.url") {
			t.Errorf("%q: %v", url, err)
		}
	}
}

// TestTLS: a server with a certificate of nobody's is not trusted.
func TestTLS(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler())
	defer s.Close()
	_, err := newClient(t, Options{URL: s.URL}).Buckets(context.Background())
	if err == nil || !strings.Contains(err.Error(), "--server.ca-file") {
		t.Error(err)
	}
}

// TestFresh: the same line twice in one moment is told of twice, and once each.
func TestFresh(t *testing.T) {
	at := time.Unix(1, 0)
	a, b := Entry{At: at, Line: "a"}, Entry{At: at, Line: "a", Labels: map[string]string{"app": "x"}}
	told := map[string]time.Time{}
	if got := fresh(told, []Entry{a, b, a}); len(got) != 3 {
		t.Errorf("%d of 3", len(got))
	}
	if got := fresh(told, []Entry{a, a, b, a}); len(got) != 1 {
		t.Errorf("%d new ones of 4, want 1", len(got))
	}
}

// TestTail tells of what comes later, until it is ended.
func TestTail(t *testing.T) {
	lines := make(chan string, 2)
	now := strconv.FormatInt(time.Now().UnixNano(), 10)
	var sent []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/loki/api/v1/query_range" || r.FormValue("query") != `{app="x"}` {
			http.NotFound(w, r)
			return
		}
		select {
		case line := <-lines:
			sent = append(sent, `["`+now+`","`+line+`",{"k":"v"}]`)
		default:
		}
		_, _ = w.Write([]byte(`{"status":"success","data":{"resultType":"streams","result":[{"stream":{"app":"x"},"values":[` + strings.Join(sent, ",") + `]}]}}`))
	}))
	defer s.Close()
	lines <- "first"
	lines <- "第二"
	enough := errors.New("enough")
	var got []string
	err := newClient(t, Options{URL: s.URL}).Tail(context.Background(), `{app="x"}`, time.Now().Add(-time.Minute), func(entries []Entry) error {
		for _, e := range entries {
			got = append(got, e.Line)
		}
		if len(got) == 2 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || strings.Join(got, ",") != "first,第二" {
		t.Errorf("%v, %v", got, err)
	}
}
