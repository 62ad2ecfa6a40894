package routing

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/doctable"
)

// inDocs holds a table of docs/alerting.md against what is so.
func inDocs(t *testing.T, section string, table *doctable.Table) {
	t.Helper()
	if *update {
		t.Setenv("PM25_ROUTING_WRITE", "1")
	}
	doctable.Doc{Path: "../../docs/alerting.md", Env: "PM25_ROUTING_WRITE"}.Write(t, section, table)
	text, err := os.ReadFile("../../docs/alerting.md")
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("<!-- %s -->\n%s<!-- /%[1]s -->\n", section, table.Markdown())
	if !bytes.Contains(text, []byte(want)) {
		t.Errorf("the table %s of docs/alerting.md is not what is so; go test -update writes it", section)
	}
}

func TestTimesInDocs(t *testing.T) {
	table := doctable.New("alerts", "the first of a group after", "later ones within", "again after")
	for _, row := range []struct {
		what string
		timing
	}{
		{"critical", criticalTimes},
		{"warning", warningTimes},
		{"new exceptions", exceptTimes},
		{"info", infoTimes},
		{"`PM25Watchdog`", watchTimes},
	} {
		table.Add(row.what, row.wait, row.interval, row.repeat)
	}
	inDocs(t, "times", table)
}

var (
	nameMatcher = regexp.MustCompile(`^(alertname|scope)(=|=~|!=)"(.*)"$`)
	others      = regexp.MustCompile(`^(severity|bucket)(=|=~)"(.+)"$`)
)

// inWords says what matchers match: alerts by their names or scopes.
func inWords(matchers []string) string {
	var what, but []string
	for _, matcher := range matchers {
		if m := nameMatcher.FindStringSubmatch(matcher); m != nil && m[3] != "" {
			list := strings.ReplaceAll(m[3], "|", ", ")
			switch {
			case m[2] == "!=":
				but = append(but, list)
			case m[1] == "scope":
				what = append(what, "all of scope "+list)
			default:
				what = append(what, list)
			}
		} else if m := others.FindStringSubmatch(matcher); m != nil {
			but = append(but, "only "+m[1]+" "+strings.ReplaceAll(m[3], "|", ", "))
		} else if strings.HasSuffix(matcher, `bucket=""`) {
			but = append(but, "only without bucket")
		}
	}
	text := strings.Join(what, "; ")
	if text == "" {
		text = "any alert"
	}
	for _, b := range but {
		if !strings.HasPrefix(b, "only") {
			b = "but " + b
		}
		text += ", " + b
	}
	return text
}

func TestInhibitionsInDocs(t *testing.T) {
	table := doctable.New("while this fires", "these are quiet", "on the same", "why")
	for _, rule := range inhibitions() {
		table.Add(inWords(rule.source), inWords(rule.target), strings.Join(rule.equal, ", "), rule.why)
	}
	inDocs(t, "inhibitions", table)
}

// The examples are taken, and name all kinds of receivers.
func TestExamples(t *testing.T) {
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join("../../deploy/alerting", name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	r, o := world(t, read("receivers.yml"), read("owners.yml"))
	text, err := Alertmanager(r, o, bridged)
	if err != nil {
		t.Fatal(err)
	}
	load(t, text)
	kinds := map[string]bool{}
	for _, receiver := range r.Receivers {
		kinds[receiver.Kind()] = true
	}
	for _, kind := range Kinds() {
		if !kinds[kind] {
			t.Errorf("there is no example of %s", kind)
		}
	}
	if owner, ok := o.Find("prod-eu", "default", "payments"); !ok || owner.Team != "Payments" {
		t.Errorf("payments belongs to %+v", owner)
	}
}
