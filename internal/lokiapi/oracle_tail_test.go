//go:build oracle

package lokiapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// TestLokiTailsTheSame compares what both send of what is there.
func TestLokiTailsTheSame(t *testing.T) {
	w := newWorld(t)
	for _, header := range []http.Header{nil, {"X-Loki-Response-Encoding-Flags": {"categorize-labels"}}} {
		for _, query := range []string{`{app="shop",kind="exit"}`, `{app="api"} |= "read 5\n" | line_format "{{.pm_id}}"`} {
			var got [2]map[string]any
			for i, base := range []string{w.loki, w.ours} {
				q := w.params(question{query: query, set: "limit=3"})
				q.Del("end")
				conn, _, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(base, "http")+"/loki/api/v1/tail?"+q.Encode(), header)
				if err != nil {
					t.Fatal(err)
				}
				_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
				if err := conn.ReadJSON(&got[i]); err != nil {
					t.Fatal(err)
				}
				_ = conn.Close()
				got[i]["flags"] = got[i]["encodingFlags"]
			}
			for i := range got {
				out := map[string]any{"flags": got[i]["flags"]}
				for _, each := range got[i]["streams"].([]any) {
					addLines(out, each.(map[string]any))
				}
				got[i] = out
			}
			if !same(got[0], got[1]) {
				t.Errorf("%s %v\n%s", query, header, difference(got[0], got[1]))
			}
		}
	}
}
