//go:build soak

package soak

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

// report is a table of what a test measured.
type report struct {
	head []string
	rows [][]string
}

func newReport(head ...string) *report { return &report{head: head} }

// add adds a row; numbers are written shortly.
func (r *report) add(cells ...any) {
	row := make([]string, len(cells))
	for i, c := range cells {
		switch c := c.(type) {
		case float64:
			row[i] = strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.2f", c), "0"), ".")
		default:
			row[i] = fmt.Sprint(c)
		}
	}
	r.rows = append(r.rows, row)
}

func (r *report) markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(r.head)
	line(strings.Split(strings.Repeat("---,", len(r.head)-1)+"---", ","))
	for _, row := range r.rows {
		line(row)
	}
	return b.String()
}

// write logs the table and, with PM25_SOAK_WRITE set, puts it between the
// marks of its section in docs/soak.md.
func (r *report) write(t *testing.T, section string) {
	t.Helper()
	text := r.markdown()
	t.Logf("%s:\n%s", section, text)
	if os.Getenv("PM25_SOAK_WRITE") == "" {
		return
	}
	if t.Failed() {
		t.Logf("not written: the test failed")
		return
	}
	path := filepath.Join(pm2test.Root(), "docs", "soak.md")
	doc, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := fmt.Sprintf("<!-- %s -->\n", section), fmt.Sprintf("<!-- /%s -->\n", section)
	before, rest, ok := bytes.Cut(doc, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		t.Fatalf("%s has no section %s", path, section)
	}
	doc = bytes.Join([][]byte{before, []byte(begin), []byte(text), []byte(end), after}, nil)
	if err := os.WriteFile(path, doc, 0o644); err != nil {
		t.Fatal(err)
	}
}
