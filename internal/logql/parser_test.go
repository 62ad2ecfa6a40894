package logql_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/logql"
)

// good are queries and their canonical form.
var good = []struct{ query, want string }{
	{`{app="a"}`, `{app="a"}`},
	{"{app=`a\\`, host!=\"b\" , kind=~\"x|y\",level!~\"z\"}", `{app="a\\", host!="b", kind=~"x|y", level!~"z"}`},
	{`{app="a"} |= "x" or "y" != "z" |~ "a.b" !~ "c"`, `{app="a"} |= "x" or "y" != "z" |~ "a.b" !~ "c"`},
	{"{app=\"a\"} # a comment\n | json", `{app="a"} | json`},
	{`{app="a"} | json a, b="c.d[0][\"e f\"]"`, `{app="a"} | json a="a", b="c.d[0][\"e f\"]"`},
	{`{app="a"} | logfmt --strict --keep-empty x`, `{app="a"} | logfmt --strict --keep-empty x="x"`},
	{`{app="a"} | a="b" and c>10ms or d<=2.5kB, e!=3`, `{app="a"} | ((a="b" and c > 10ms) or (d <= 2.5kB and e != 3))`},
	{`{app="a"} | (a="b" or c="d") e==-1`, `{app="a"} | ((a="b" or c="d") and e == -1)`},
	{`{app="a"} | line_format "{{.x}}" | label_format a=b,c="{{.d}}"`, `{app="a"} | line_format "{{.x}}" | label_format a=b, c="{{.d}}"`},
	{`{app="a"} | keep a, b="c" | drop d, e=~"f"`, `{app="a"} | keep a, b="c" | drop d, e=~"f"`},
	{`count_over_time({app="a"}[1h30m])`, `count_over_time({app="a"}[1h30m])`},
	{`rate({app="a"}[5m] |= "x" | json)`, `rate({app="a"} |= "x" | json [5m])`},
	{`rate(({app="a"} |= "x")[5m] offset -1h)`, `rate({app="a"} |= "x" [5m] offset -1h)`},
	{`quantile_over_time(.95, {app="a"} | unwrap duration(t) | __error__="" [1m]) by (x)`, `quantile_over_time(0.95, {app="a"} | unwrap duration(t) | __error__="" [1m]) by (x)`},
	{`sum by (a,b) (rate({app="a"}[5m]))`, `sum by (a, b) (rate({app="a"}[5m]))`},
	{`topk(3, sum(rate({app="a"}[5m])) without (c))`, `topk(3, sum without (c) (rate({app="a"}[5m])))`},
	{`vector(1)+vector(1)`, `(vector(1) + vector(1))`},
	{`1 + 2 * 3 ^ 2 ^ 2 > bool 1`, `((1 + (2 * (3 ^ (2 ^ 2)))) > bool 1)`},
	{
		`sum(rate({a="b"}[1m])) / on (x) group_left (y) sum by (x) (rate({a="b"}[1m])) unless vector(1)`,
		`((sum(rate({a="b"}[1m])) / on (x) group_left (y) sum by (x) (rate({a="b"}[1m]))) unless vector(1))`,
	},
	{`label_replace(rate({a="b"}[1m]), "x", "$1", "y", "(.*)")`, `label_replace(rate({a="b"}[1m]), "x", "$1", "y", "(.*)")`},
}

func TestParse(t *testing.T) {
	for _, test := range good {
		e, err := logql.Parse(test.query)
		if err != nil {
			t.Errorf("%s: %v", test.query, err)
			continue
		}
		if got := e.String(); got != test.want {
			t.Errorf("%s\n got %s\nwant %s", test.query, got, test.want)
		}
		again, err := logql.Parse(test.want)
		if err != nil || again.String() != test.want {
			t.Errorf("%s parses to %v, %v", test.want, again, err)
		}
	}
}

// bad are queries that are refused, and a part of why.
var bad = []struct{ query, why string }{
	{``, "line 1, col 1: syntax error: unexpected the end"},
	{`{}`, "at least one"},
	{`{app=~".*"}`, "at least one"},
	{`{app!="a"}`, "at least one"},
	{`{app="a"`, `expecting "," or "}"`},
	{"{app=\"a\"}\n  | nothing", "line 2, col 12"},
	{`{app="a"} | pattern "<x>"`, `"pattern" is outside of the subset`},
	{`{app="a"} | regexp "(?P<x>.)"`, `"regexp" is outside of the subset`},
	{`{app="a"} |> "<_>"`, `"|>" is outside of the subset`},
	{`{app="a"} | addr = ip("10.0.0.0/8")`, `"ip" is outside of the subset`},
	{`{app="a"} |~ "("`, "error parsing regexp"},
	{`{app=~"("}`, "error parsing regexp"},
	{`{app="a"} | line_format "{{.x"`, "invalid line template"},
	{`{app="a"} | line_format "{{define \"x\"}}{{template \"x\"}}{{end}}"`, "outside of the subset"},
	{`{app="a"} | label_format a=b, a=c`, "multiple label name 'a'"},
	{`{app="a"} | unwrap x`, "belongs into a range aggregation"},
	{`{app="a"} | size > 5kb`, "is no number, duration or size"},
	{`rate({app="a"}[11y])`, "at most 10 years"},
	{`rate({app="a"}[1m] offset 11y)`, "more than 10 years"},
	{`rate({app="a"})`, "a range such as [5m]"},
	{`rate({app="a"}[5m]) by (x)`, "grouping not allowed"},
	{`sum_over_time({app="a"}[5m])`, "without unwrap"},
	{`count_over_time({app="a"} | unwrap x [5m])`, "with unwrap"},
	{`sum_over_time({app="a"} | unwrap x | json [5m])`, "label filter after unwrap"},
	{`vector(-1)`, "expecting a number"},
	{`rate_counter({app="a"} | unwrap x [5m])`, "outside of the subset"},
	{`topk(0, rate({app="a"}[5m]))`, "invalid parameter"},
	{`sum(1)`, "needs series"},
	{`nothing({app="a"}[5m])`, "no function of LogQL"},
	{`1 and 2`, "set operation"},
	{`{app="a"} 'x'`, "unexpected character"},
	{`{app="a`, "without its end"},
	{strings.Repeat("(", 200) + "1" + strings.Repeat(")", 200), "within each other"},
	{strings.Repeat("1+", 2000) + "1", "more than 1000"},
	{`{app="` + strings.Repeat("a", logql.MaxQuery) + `"}`, "at most 65536"},
}

func TestParseRefuses(t *testing.T) {
	for _, test := range bad {
		e, err := logql.Parse(test.query)
		if err == nil || !strings.Contains(err.Error(), test.why) {
			t.Errorf("%.100s: %v, %v; want an error with %q", test.query, e, err, test.why)
		}
	}
}

func TestParseErrorHasItsPlace(t *testing.T) {
	_, err := logql.Parse("{app=\"é\"} |=\n\t\"x\" | ?")
	var at *logql.ParseError
	if !errors.As(err, &at) || at.Line != 2 || at.Column != 8 {
		t.Errorf("got %v", err)
	}
}

// FuzzParse: no text makes the parser panic, and what it reads has a canonical
// form that reads as itself.
func FuzzParse(f *testing.F) {
	for _, test := range good {
		f.Add(test.query)
	}
	for _, test := range bad {
		f.Add(test.query[:min(len(test.query), 300)])
	}
	f.Fuzz(func(t *testing.T, query string) {
		e, err := logql.Parse(query)
		if err != nil {
			return
		}
		text := e.String()
		if len(text) > logql.MaxQuery {
			return
		}
		again, err := logql.Parse(text)
		if err != nil {
			t.Fatalf("%q reads as %q, which does not read: %v", query, text, err)
		}
		if got := again.String(); got != text {
			t.Fatalf("%q reads as %q, which reads as %q", query, text, got)
		}
	})
}
