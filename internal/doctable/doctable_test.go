package doctable

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "doc.md")
	const before = "# Doc\n\n<!-- a -->\nold\n<!-- /a -->\n\n<!-- b -->\nleft\n<!-- /b -->\n"
	if err := os.WriteFile(path, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	table := New("what", "s")
	table.Add("one", 1.50)
	table.Add("two", 2.0)
	doc := Doc{Path: path, Env: "PM25_DOCTABLE_WRITE"}
	check := func(want string) {
		t.Helper()
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	t.Setenv(doc.Env, "")
	doc.Write(t, "a", table)
	check(before)
	t.Setenv(doc.Env, "1")
	doc.Write(t, "a", table)
	check("# Doc\n\n<!-- a -->\n| what | s |\n| --- | --- |\n| one | 1.5 |\n| two | 2 |\n<!-- /a -->\n\n<!-- b -->\nleft\n<!-- /b -->\n")
}

func TestNoSection(t *testing.T) {
	for _, doc := range []string{"", "<!-- a -->\n", "<!-- /a -->\n<!-- a -->\n"} {
		if _, err := replace([]byte(doc), "a", "x"); err == nil {
			t.Errorf("%q has a section", doc)
		}
	}
}
