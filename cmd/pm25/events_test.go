package main

import (
	"strings"
	"testing"

	"github.com/alecthomas/kingpin/v2"
)

func TestFilters(t *testing.T) {
	for _, c := range []struct {
		args      []string
		want, err string
	}{
		{nil, `{kind=~".+"}`, ""},
		{[]string{"--app=a", "--kind=exit", "--grep=x y"}, `{app="a", kind="exit"} |= "x y"`, ""},
		{[]string{"--app=a.b", "--app=c"}, `{app=~"a\\.b|c"}`, ""},
		{[]string{`{app="a"}`}, `{app="a"}`, ""},
		{[]string{"--app=a", `{app="a"}`}, "", "either a query or filters"},
		{[]string{"--kind=exits"}, "", "--kind=exits: it has to be one of exception, exit,"},
		{[]string{"--level=fatal"}, "", "one of error, warn, info"},
	} {
		app := kingpin.New("pm25", "")
		f := addFilters(app.Command("query", ""))
		got := ""
		_, err := app.Parse(append([]string{"query"}, c.args...))
		if err == nil {
			got, err = f.logQL()
		}
		if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v: %s, %v", c.args, got, err)
		}
	}
}
