//go:build oracle

package lokiapi_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
)

// push gives all records to Loki.
func (w *world) push(t *testing.T) {
	t.Helper()
	var streams []*pushStream
	for _, p := range w.pushed {
		streams = append(streams, p)
	}
	body, err := json.Marshal(map[string]any{"streams": streams})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.Post(w.loki+"/loki/api/v1/push", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if r.StatusCode != http.StatusNoContent {
		said, _ := io.ReadAll(r.Body)
		t.Fatalf("Loki took nothing: %s %s", r.Status, said)
	}
}

// ask returns the status and the answer of one of the two.
func (w *world) ask(t *testing.T, base, path string, header http.Header, params url.Values) (int, []byte) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, base+"/loki/api/v1/"+path+"?"+params.Encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, body
}
