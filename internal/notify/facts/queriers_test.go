package facts

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

// engine answers with a value.
type engine struct {
	value parser.Value
	err   error
}

func (e engine) Query(context.Context, string, time.Time) (parser.Value, error) {
	return e.value, e.err
}

func TestQueriers(t *testing.T) {
	want := []Sample{{Labels: map[string]string{"what": "hosts"}, Value: 5}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := map[string]string{
			"vector": `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"what":"hosts"},"value":[1732590000,"5"]}]}}`,
			"scalar": `{"status":"success","data":{"resultType":"scalar","result":[1732590000,"5"]}}`,
			"error":  `{"status":"error","errorType":"bad_data","error":"no"}`,
		}[r.FormValue("query")]
		_, _ = w.Write([]byte(answer))
	}))
	t.Cleanup(server.Close)
	far, err := FromServer(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	near := map[string]Querier{
		"vector": FromEngine(engine{value: promql.Vector{{Metric: labels.FromStrings("what", "hosts"), F: 5}}}),
		"scalar": FromEngine(engine{value: promql.Scalar{V: 5}}),
		"error":  FromEngine(engine{err: errors.New("no")}),
	}
	for expr, q := range near {
		for name, querier := range map[string]Querier{"server": far, "engine": q} {
			got, err := querier.Vector(t.Context(), expr, time.Unix(1732590000, 0))
			if expr == "vector" && (err != nil || !reflect.DeepEqual(got, want)) || expr != "vector" && err == nil {
				t.Errorf("%s, %s: %+v %v", name, expr, got, err)
			}
		}
	}
	if _, err := FromServer("http://user:hunter2@ x"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("%v", err)
	}
}
