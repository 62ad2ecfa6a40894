package servertest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/pm2test"
	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/record"
)

var programs proctest.Builder

func TestMain(m *testing.M) { programs.Main(m) }

func start(t *testing.T, args ...string) *Server {
	t.Helper()
	return Start(t, Options{Program: programs.Program(t, "pm25"), Args: args})
}

// fetched reads what a path answers with success.
func fetched[T any](t *testing.T, s *Server, path string) T {
	t.Helper()
	var a api.Answer[T]
	code, body, err := s.Do(http.MethodGet, path, nil)
	if err != nil || code != http.StatusOK || json.Unmarshal([]byte(body), &a) != nil {
		t.Fatalf("%s: %d %.500s, %v", path, code, body, err)
	}
	return a.Data
}

// TestRecordsComeBack byte for byte, whatever they hold, and twice is once.
func TestRecordsComeBack(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.Bucket("shop")
	for _, text := range []string{
		"支付失败：订单 №42 已取消 🚀 𠮷", "'; DROP TABLE records; --", "../../../etc/passwd", `{app="x"} |= "" or 1=1`, "a\nb\tc\r\n", "<script>alert(1)</script>", "\u0001\u001b[31m", "%s%n%d",
	} {
		r := Exception("api", "1.0.0", "x", time.Now())
		r.Exception.Message, r.Exception.Stack, r.Exception.Title = text, text, text
		r.Exception.Frames = []record.Frame{{Function: text, File: text, Line: 1, InApp: true, Text: text}}
		r.Logs[0].Text = text
		for i, want := range []record.Receipt{{Stored: 1}, {Duplicates: 1}} {
			code, receipt, err := s.Push(token, r)
			if err != nil || code != http.StatusOK || receipt.Stored != want.Stored || receipt.Duplicates != want.Duplicates || len(receipt.Refused) != 0 {
				t.Fatalf("%q, push %d: %d %+v %v", text, i, code, receipt, err)
			}
		}
		got := fetched[api.Stored](t, s, "/api/v1/records/"+r.ID)
		if diff := cmp.Diff(r, got.Record); diff != "" || got.Bucket != "shop" {
			t.Errorf("%q came back in bucket %s as another: %s", text, got.Bucket, diff)
		}
		found := fetched[api.Groups](t, s, "/api/v1/exceptions?q="+url.QueryEscape(text))
		if len(found.Groups) > 1 {
			t.Errorf("%q finds %d groups", text, len(found.Groups))
		}
	}
	if groups := fetched[api.Groups](t, s, "/api/v1/exceptions?app=api").Groups; len(groups) != 1 || groups[0].Count != 8 {
		t.Errorf("%+v", groups)
	}
	for _, app := range []string{"'; DROP TABLE records; --", `" OR ""="`, "../../x", "%", "_"} {
		if groups := fetched[api.Groups](t, s, "/api/v1/exceptions?app="+url.QueryEscape(app)).Groups; len(groups) != 0 {
			t.Errorf("app %q finds %d groups", app, len(groups))
		}
	}
	for _, path := range []string{"/api/v1/records/..%2f..%2fetc%2fpasswd", "/api/v1/exceptions/%27%20OR%201=1", "/api/v1/records/%00"} {
		if code, body, err := s.Do(http.MethodGet, path, nil); err != nil || code != http.StatusNotFound {
			t.Errorf("%s: %d %s %v", path, code, body, err)
		}
	}
	s.Stop()
}

// TestBuckets: a token writes to its own bucket, until it is rotated out or
// revoked.
func TestBuckets(t *testing.T) {
	t.Parallel()
	s := start(t)
	shop, bank := s.Bucket("shop"), s.Bucket("bank")
	in := func(token string) string {
		r := Event("api", "x", time.Now())
		code, _, err := s.Push(token, r)
		if err != nil {
			t.Fatal(err)
		}
		if code != http.StatusOK {
			return fmt.Sprint(code)
		}
		return fetched[api.Stored](t, s, "/api/v1/records/"+r.ID).Bucket
	}
	var rotated, again api.Issued
	s.Operate("/api/v1/buckets/shop/rotate", api.Rotate{KeepOld: "1h"}, &rotated)
	for token, want := range map[string]string{shop: "shop", bank: "bank", rotated.Secret: "shop", shop + "x": "401", "": "401", s.Operator(): "401"} {
		if got := in(token); got != want {
			t.Errorf("a push went to %s, want %s", got, want)
		}
	}
	s.Operate("/api/v1/buckets/shop/rotate", api.Rotate{}, &again)
	s.Operate("/api/v1/buckets/shop/revoke", api.Revoke{TokenID: again.Token.ID}, nil)
	s.Operate("/api/v1/buckets/shop/rotate", api.Rotate{KeepOld: "1h"}, &again)
	for _, c := range []struct{ token, want string }{{again.Secret, "shop"}, {bank, "bank"}, {rotated.Secret, "401"}} {
		if got := in(c.token); got != c.want {
			t.Errorf("after a revocation a push went to %s, want %s", got, c.want)
		}
	}
	for _, name := range []string{"", "../x", "Shop", "a b", "x'; --", strings.Repeat("x", 64)} {
		body, _ := json.Marshal(api.NewBucket{Name: name})
		code, _, err := s.Do(http.MethodPost, "/api/v1/buckets", strings.NewReader(string(body)), "Authorization", "Bearer "+s.Operator())
		if err != nil || code != http.StatusBadRequest {
			t.Errorf("a bucket named %q: %d %v", name, code, err)
		}
	}
	if code, _, _ := s.Do(http.MethodPost, "/api/v1/buckets", strings.NewReader(`{"name":"shop"}`), "Authorization", "Bearer "+s.Operator()); code != http.StatusConflict {
		t.Errorf("a bucket that is there: %d", code)
	}
	log := s.Log()
	for _, secret := range []string{shop, bank, rotated.Secret, again.Secret, s.Operator()} {
		if strings.Contains(log, secret) {
			t.Error("a token is in the log")
		}
	}
}

// TestKilled: what was answered for is there after each kill, once, though each
// batch is sent until it is.
func TestKilled(t *testing.T) {
	t.Parallel()
	s := start(t)
	token := s.Bucket("shop")
	const senders, batches, size = 4, 25, 20
	var all sync.WaitGroup
	var acknowledged atomic.Int64
	ids := make(chan string, senders*batches*size)
	for i := range senders {
		all.Go(func() {
			for n := range batches {
				records := make([]*record.Record, size)
				for k := range records {
					records[k] = Exception("api", "1.0.0", fmt.Sprintf("bug %d", i), time.Now())
				}
				for {
					code, receipt, err := s.Push(token, records...)
					if err == nil && code == http.StatusOK {
						if receipt.Stored+receipt.Duplicates != size {
							t.Errorf("sender %d, batch %d: %+v", i, n, receipt)
						}
						break
					}
					time.Sleep(20 * time.Millisecond)
				}
				for _, r := range records {
					ids <- r.ID
				}
				acknowledged.Add(size)
			}
		})
	}
	kills := 0
	for _, at := range []int64{200, 700, 1300} {
		pm2test.Eventually(t, time.Minute, func() error {
			if acknowledged.Load() < at {
				return fmt.Errorf("%d are acknowledged", acknowledged.Load())
			}
			return nil
		})
		s.Kill()
		kills++
		s.Again()
		s.Ready()
	}
	all.Wait()
	close(ids)
	for id := range ids {
		fetched[api.Stored](t, s, "/api/v1/records/"+id)
	}
	var count uint64
	for _, g := range fetched[api.Groups](t, s, "/api/v1/exceptions?app=api").Groups {
		count += g.Count
	}
	if count != senders*batches*size {
		t.Errorf("the groups count %d, want %d, after %d kills", count, senders*batches*size, kills)
	}
	s.Stop()
}
