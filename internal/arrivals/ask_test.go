//go:build arrivals

package arrivals

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"testing"

	"github.com/pm25/pm25/internal/api"
)

// fetched asks the server's API.
func fetched[T any](t *testing.T, s *store, path string) T {
	t.Helper()
	var a api.Answer[T]
	code, body, err := s.Do(http.MethodGet, path, nil)
	if err != nil || code != http.StatusOK || json.Unmarshal([]byte(body), &a) != nil {
		t.Fatalf("%s: %d %.500s, %v", path, code, body, err)
	}
	return a.Data
}

// groups are the exception groups of an app.
func (s *store) groups(t *testing.T, bucket, app string) []api.Group {
	t.Helper()
	return fetched[api.Groups](t, s, "/api/v1/exceptions?"+url.Values{"bucket": {bucket}, "app": {app}}.Encode()).Groups
}

func (s *store) group(t *testing.T, id string) api.GroupDetails {
	t.Helper()
	return fetched[api.GroupDetails](t, s, "/api/v1/exceptions/"+id+"?samples=50&runs=200")
}

// change asks for another state of a group.
func (s *store) change(id string, c api.Change) (g api.Group) {
	s.t.Helper()
	s.Operate("/api/v1/exceptions/"+id, c, &g)
	return g
}

// loki asks a query of LogQL whose answer is a vector, and returns its values
// by one label.
func (s *store) loki(t *testing.T, query, by string) map[string]int {
	t.Helper()
	answer := fetched[struct {
		ResultType string `json:"resultType"`
		Result     []struct {
			Metric map[string]string
			Value  [2]any
		}
	}](t, s, "/loki/api/v1/query?"+url.Values{"query": {query}}.Encode())
	if answer.ResultType != "vector" {
		t.Fatalf("%s: the answer is a %s", query, answer.ResultType)
	}
	out := map[string]int{}
	for _, r := range answer.Result {
		n, err := strconv.ParseFloat(fmt.Sprint(r.Value[1]), 64)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		out[r.Metric[by]] += int(n)
	}
	return out
}
