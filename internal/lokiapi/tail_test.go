package lokiapi_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pm25/pm25/internal/lokiapi"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
)

type tailMessage struct {
	Streams []struct {
		Stream map[string]string
		Values [][]json.RawMessage
	}
	EncodingFlags  []string `json:"encodingFlags"`
	DroppedEntries []struct {
		Labels    map[string]string
		Timestamp string
	} `json:"dropped_entries"`
}

func (m tailMessage) lines() (out []string) {
	for _, s := range m.Streams {
		for _, v := range s.Values {
			var line string
			_ = json.Unmarshal(v[1], &line) // has been JSON
			out = append(out, line)
		}
	}
	return out
}

// dial begins a tail.
func dial(t *testing.T, api *lokiapi.API, header http.Header, params ...string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	form := url.Values{}
	for i := 0; i < len(params); i += 2 {
		form.Set(params[i], params[i+1])
	}
	conn, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(server.URL, "http")+"/loki/api/v1/tail?"+form.Encode(), header)
	if err == nil {
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	}
	return conn, response, err
}

func mustDial(t *testing.T, api *lokiapi.API, header http.Header, params ...string) *websocket.Conn {
	t.Helper()
	conn, _, err := dial(t, api, header, params...)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func next(t *testing.T, conn *websocket.Conn) tailMessage {
	t.Helper()
	var m tailMessage
	if err := conn.ReadJSON(&m); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTailSendsWhatThereIsAndWhatComes(t *testing.T) {
	m := few()
	conn := mustDial(t, newAPI(t, m), nil, "query", `{app="shop"} |= "Type" or "live"`, "limit", "2")
	if got := fmt.Sprint(next(t, conn).lines()); !strings.Contains(got, "TypeError: y") || strings.Contains(got, "购物车") {
		t.Errorf("the history: %s", got)
	}
	m.Add(cart, at(0), "live of another app")
	m.Add(shop, at(0), "live", record.Pair{Name: "version", Value: "2"})
	first := next(t, conn)
	if fmt.Sprint(first.lines()) != "[live]" || first.Streams[0].Stream["version"] != "2" || string(first.Streams[0].Values[0][0]) != `"1700000000000000000"` {
		t.Errorf("got %+v", first)
	}
	m.Add(shop, at(-30), "live, but late")
	if got := fmt.Sprint(next(t, conn).lines()); got != "[live, but late]" {
		t.Errorf("a late one: %s", got)
	}
	m.Add(shop, at(3600), "live, ahead")
	if got := fmt.Sprint(next(t, conn).lines()); got != "[live, ahead]" {
		t.Errorf("one of a clock that is ahead: %s", got)
	}
	m.Add(shop, at(1), "live again")
	if got := fmt.Sprint(next(t, conn).lines()); got != "[live again]" {
		t.Errorf("one behind it: %s", got)
	}
}

func TestTailByCategory(t *testing.T) {
	m := sourcetest.New()
	conn := mustDial(t, newAPI(t, m), http.Header{"X-Loki-Response-Encoding-Flags": {"categorize-labels"}}, "query", `{app="cart"} | json`)
	m.Add(cart, at(0), `{"n":1}`, record.Pair{Name: "event", Value: "e"})
	got := next(t, conn)
	if len(got.EncodingFlags) != 1 || len(got.Streams) != 1 || string(got.Streams[0].Values[0][2]) != `{"structuredMetadata":{"event":"e"},"parsed":{"n":"1"}}` {
		t.Errorf("got %+v", got)
	}
}

// TestTailTellsWhatItDropped lets a client fall behind by more than the bound.
func TestTailTellsWhatItDropped(t *testing.T) {
	m := sourcetest.New()
	m.Add(shop, at(-1), "first")
	api := newAPI(t, m)
	conn := mustDial(t, api, nil, "query", `{app="shop"}`)
	next(t, conn)
	m.Flood(shop, at(0), 30_000)
	lines, dropped := 0, 0
	for lines == 0 || lines < 1000 {
		got := next(t, conn)
		lines += len(got.lines())
		dropped += len(got.DroppedEntries)
		for _, d := range got.DroppedEntries {
			if d.Labels["app"] != "shop" || !strings.HasPrefix(d.Timestamp, "1700000000") {
				t.Fatalf("dropped: %+v", d)
			}
		}
	}
	if dropped != 100 || lines != 1000 {
		t.Errorf("%d lines, %d named as dropped", lines, dropped)
	}
	if got := api.Stats(); got.TailDropped != 29_001 || got.Tails != 1 {
		t.Errorf("%+v", got)
	}
}

// TestATailThatTakesNothingIsCutOff has a client that never reads, until the
// buffers between are full.
func TestATailThatTakesNothingIsCutOff(t *testing.T) {
	m := sourcetest.New()
	api := newAPI(t, m, func(o *lokiapi.Options) { o.TailPatience = 100 * time.Millisecond })
	mustDial(t, api, nil, "query", `{app="shop"}`)
	big := strings.Repeat("x", 1<<20)
	for deadline := time.Now().Add(30 * time.Second); api.Stats().TailsCutOff == 0 || api.Stats().Tails != 0; {
		if time.Now().After(deadline) {
			t.Fatalf("not cut off: %+v", api.Stats())
		}
		m.Add(shop, at(0), big)
		time.Sleep(10 * time.Millisecond) // so that the buffers fill, not the memory
	}
}

func TestTailsEndWithTheServer(t *testing.T) {
	api := newAPI(t, few(), func(o *lokiapi.Options) { o.MaxTails = 1 })
	conn := mustDial(t, api, nil, "query", `{app="shop"}`)
	next(t, conn)
	if _, response, err := dial(t, api, nil, "query", `{app="shop"}`); err == nil || response.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a second one: %v %v", response, err)
	}
	if got := api.Stats().Refused; got != 1 {
		t.Errorf("%d refused", got)
	}
	api.Close()
	_, _, err := conn.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("got %v", err)
	}
}

func TestTailsOfOtherPagesAreRefused(t *testing.T) {
	_, response, err := dial(t, newAPI(t, few()), http.Header{"Origin": {"https://example.com"}}, "query", `{app="shop"}`)
	if err == nil || response.StatusCode != http.StatusForbidden {
		t.Errorf("got %v %v", response, err)
	}
}
