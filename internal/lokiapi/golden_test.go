package lokiapi_test

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/lokiapi"
)

var update = flag.Bool("update", false, "write the answers in testdata anew")

// TestAnswersStayTheSame asks what a real Loki is asked by make loki-conformance,
// of records at a fixed time: what was the same there has to stay so.
func TestAnswersStayTheSame(t *testing.T) {
	w := fill(time.Unix(1_700_000_040, 0))
	h := newAPI(t, w.memory, func(o *lokiapi.Options) {
		o.Now = func() time.Time { return w.start.Add(25 * time.Minute) }
	}).Handler()
	var got strings.Builder
	for _, q := range questions {
		path := q.path
		if path == "" {
			path = "query_range"
		}
		header := http.Header{}
		if q.flags {
			header.Set("X-Loki-Response-Encoding-Flags", "categorize-labels")
		}
		var params []string
		for name, values := range w.params(q) {
			for _, value := range values {
				params = append(params, name, value)
			}
		}
		status, body := ask(t, h, http.MethodGet, path, header, params...)
		answer := text(normal(status, []byte(body)))
		if status != http.StatusOK {
			answer = body
		}
		fmt.Fprintf(&got, "%s %s %s\n\t%d, %d bytes, sha256 %.6x: %s\n", path, q.query, q.set, status, len(answer), sha256.Sum256([]byte(answer)), strings.TrimSpace(fmt.Sprintf("%.400s", answer)))
	}
	const file = "testdata/answers.golden"
	if *update {
		if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("answers changed; if that is right, and make loki-conformance agrees: go test ./internal/lokiapi -update\n%s", diff)
	}
}

// TestDocsListTheQuestions keeps the list in docs/logql.md.
func TestDocsListTheQuestions(t *testing.T) {
	const file = "../../docs/logql.md"
	docs, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var list strings.Builder
	list.WriteString("```\n")
	for _, q := range questions {
		path, mark := q.path, " "
		if path == "" {
			path = "query_range"
		}
		if q.differ != "" {
			mark = "≠"
		}
		fmt.Fprintf(&list, "%s %-11s %s", mark, path, q.query)
		if q.set != "" {
			list.WriteString("    " + q.set)
		}
		list.WriteString("\n")
	}
	list.WriteString("```\n")
	head, _, _ := strings.Cut(string(docs), "```\n")
	if want := head + list.String(); want != string(docs) {
		if *update {
			if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Error("docs/logql.md does not list the questions: go test ./internal/lokiapi -update")
	}
}
