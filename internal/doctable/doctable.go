// Package doctable writes what tests measured as tables into documents: between
// the marks <!-- NAME --> and <!-- /NAME -->, nothing else is touched.
package doctable

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Doc is a document with tables.
type Doc struct {
	Path string
	// Env is the variable that has to be set for the tables to be written;
	// otherwise they are logged only.
	Env string
}

// Table is a table of what a test measured.
type Table struct {
	head []string
	rows [][]string
}

// New returns a table without rows.
func New(head ...string) *Table { return &Table{head: head} }

// Add adds a row; numbers are written shortly.
func (r *Table) Add(cells ...any) {
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

// Markdown is the table as text.
func (r *Table) Markdown() string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(r.head)
	line(strings.Split(strings.Repeat("---,", len(r.head)-1)+"---", ","))
	for _, row := range r.rows {
		line(row)
	}
	return b.String()
}

// Write logs a table and, if that is asked for and the test has not failed,
// puts it into its section of the document.
func (d Doc) Write(t testing.TB, section string, table *Table) {
	t.Helper()
	t.Logf("%s:\n%s", section, table.Markdown())
	if os.Getenv(d.Env) == "" {
		return
	}
	if t.Failed() {
		t.Logf("not written: the test failed")
		return
	}
	doc, err := os.ReadFile(d.Path)
	if err == nil {
		doc, err = replace(doc, section, table.Markdown())
	}
	if err == nil {
		err = os.WriteFile(d.Path, doc, 0o644)
	}
	if err != nil {
		t.Fatalf("%s: %v", d.Path, err)
	}
}

func replace(doc []byte, section, text string) ([]byte, error) {
	begin, end := fmt.Sprintf("<!-- %s -->\n", section), fmt.Sprintf("<!-- /%s -->\n", section)
	before, rest, ok := bytes.Cut(doc, []byte(begin))
	_, after, ok2 := bytes.Cut(rest, []byte(end))
	if !ok || !ok2 {
		return nil, fmt.Errorf("there is no section %s", section)
	}
	return bytes.Join([][]byte{before, []byte(begin), []byte(text), []byte(end), after}, nil), nil
}
