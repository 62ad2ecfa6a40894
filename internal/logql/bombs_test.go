package logql_test

import (
	"context"
	"errors"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/internal/lokiapi/sourcetest"
	"github.com/pm25/pm25/internal/record"
)

// format runs one line through line_format, and says how much memory that took.
func format(t *testing.T, text, line string) (result, failure string, allocated uint64) {
	t.Helper()
	source := sourcetest.New()
	source.Add(labels.FromStrings("app", "a"), origin, line)
	engine, err := logql.New(logql.Options{Source: source})
	if err != nil {
		t.Fatal(err)
	}
	expr, err := logql.Parse(`{app="a"} | line_format ` + strconv.Quote(text))
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := engine.Range(context.Background(), expr, logql.Params{Start: origin, End: origin + 1, Step: time.Second, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	s := r.Streams[0]
	return s.Entries[0].Line, s.Labels.Get("__error__"), after.TotalAlloc - before.TotalAlloc
}

func TestATemplateThatGrowsIsStopped(t *testing.T) {
	line := strings.Repeat(`it's "<\`, 128) // 1 KiB
	for name, text := range map[string]string{
		"a chain":         `{{ __line__` + strings.Repeat(" | b64enc", 36) + ` | len }}`,
		"escapes":         `{{ __line__` + strings.Repeat(" | js", 16) + ` | len }}`,
		"doubling":        `{{ $x := __line__ }}` + strings.Repeat(`{{ $x = print $x $x }}`, 17) + `{{ len $x }}`,
		"arguments":       `{{ $x := repeat 60 __line__ }}{{ print` + strings.Repeat(" $x", 2000) + ` | len }}`,
		"printf's verbs":  `{{ $x := repeat 60 __line__ }}{{ printf "` + strings.Repeat("%[1]s", 2000) + `" $x | len }}`,
		"printf's widths": `{{ printf "` + strings.Repeat("%9999[1]s", 10_000/2) + `" "x" | len }}`,
		"lists":           `{{ $x := fromJson "[1]" }}{{ $y := repeat 60 __line__ }}{{ range 5000 }}{{ $z := print $y $y $y }}{{ end }}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, failure, allocated := format(t, text, line)
			if failure != "TemplateFormatErr" {
				t.Errorf("the line has __error__=%q, not TemplateFormatErr", failure)
			}
			if allocated > 48<<20 {
				t.Errorf("%d MiB were allocated for one line", allocated>>20)
			}
		})
	}
}

func TestTheGuardOfTemplatesKeepsWhatTheyMake(t *testing.T) {
	for text, want := range map[string]string{
		`{{ print "a" 1 2 "b" }}`:                                                                "a1 2b",
		`{{ println .app }}`:                                                                     "a\n",
		`{{ html "<b>" }} {{ js "'" }} {{ urlquery "ä" }}`:                                       `&lt;b&gt; \' %C3%A4`,
		`{{ addf 1 2.5 }} {{ add "3" 4 }} {{ round 1.26 1 }}`:                                    "3.5 7 1.3",
		`{{ range $i, $x := fromJson "[\"x\",\"y\"]" }}{{ $i }}{{ $x }}{{ end }}`:                "0x1y",
		`{{ regexReplaceAll "(l+)" __line__ "<$1>" }} {{ count "l" __line__ }}`:                  "he<ll>o 2",
		`{{ default "none" .missing }} {{ printf "%5.1f|%s" 2.25 .app }} {{ trunc 2 __line__ }}`: "none   2.2|a he",
		`{{ __timestamp__ | date "2006" }} {{ unixEpoch __timestamp__ }}`:                        "2023 1700000000",
	} {
		if got, failure, _ := format(t, text, "hello"); got != want || failure != "" {
			t.Errorf("%s makes %q (%s), not %q", text, got, failure, want)
		}
	}
}

func TestRegularExpressionsOfManyStepsAreRefused(t *testing.T) {
	for _, query := range []string{
		`{app="a"} |~ "` + strings.Repeat(".{0,1000}", 11) + `x"`,
		`{app="a"} |~ "((a?){30}){30}((a?){30}){30}((a?){30}){30}((a?){30}){30}"`,
		`{app="a"}` + strings.Repeat(` |~ "(.{0,900}x)"`, 12), // all together
		`{app=~"` + strings.Repeat(".{0,1000}", 11) + `x"}`,
		`{app="a"} | x=~"` + strings.Repeat(".{0,1000}", 11) + `x"`,
	} {
		_, err := logql.Parse(query)
		var parse *logql.ParseError
		if !errors.As(err, &parse) || !strings.Contains(err.Error(), "10000 steps") {
			t.Errorf("%.60s…: %v", query, err)
		}
	}
	many := make([]string, 400)
	for i := range many {
		many[i] = "app-" + strconv.Itoa(i)
	}
	if _, err := logql.Parse(`{app=~"` + strings.Join(many, "|") + `"} |~ "(?i)timeout.{1,200}ms"`); err != nil {
		t.Error(err)
	}
}

func TestQuantilesEndWithTheirContext(t *testing.T) {
	source := sourcetest.New()
	for i := range 20_000 {
		source.Add(labels.FromStrings("app", "a"), origin+int64(i)*int64(time.Millisecond), "", record.Pair{Name: "v", Value: strconv.Itoa(i % 977)})
	}
	engine, err := logql.New(logql.Options{Source: source, Limits: logql.Limits{Timeout: 300 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	expr, err := logql.Parse(`quantile_over_time(0.5, {app="a"} | unwrap v [20s])`)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_, err = engine.Range(context.Background(), expr, logql.Params{Start: origin, End: origin + int64(20*time.Second), Step: 2 * time.Millisecond})
	if !errors.Is(err, logql.ErrTimeout) || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v", time.Since(began), err)
	}
}
