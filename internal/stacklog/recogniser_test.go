package stacklog

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
)

var (
	update = flag.Bool("update", false, "write the golden files again")
	start  = time.Unix(1767225600, 0).UTC()
)

// collect reads a log all at once.
func collect(t testing.TB, log string) []Found {
	t.Helper()
	var found []Found
	r, err := New(Options{Emit: func(f Found) { found = append(found, f) }})
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(log, "\n") {
		r.Line([]byte(line), start)
	}
	r.End()
	return found
}

func recordings(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no recordings", err)
	}
	logs := map[string]string{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		logs[strings.TrimSuffix(filepath.Base(file), ".txt")] = string(data)
	}
	return logs
}

// TestRecordings: the golden files show what is found in what real programs
// wrote, as it is and with the forms in which PM2 puts a time before it.
func TestRecordings(t *testing.T) {
	for name, log := range recordings(t) {
		t.Run(name, func(t *testing.T) {
			found := collect(t, log)
			got, err := json.MarshalIndent(found, "", "\t")
			if err != nil {
				t.Fatal(err)
			}
			golden := "testdata/" + name + ".golden"
			if *update {
				if err := os.WriteFile(golden, append(got, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
			for _, before := range []string{"2026-11-26T10:00:00: ", "2026-11-26 10:00:00 +08:00: ", "11/26/2026, 10:00:00 AM: "} {
				if diff := cmp.Diff(found, collect(t, before+strings.ReplaceAll(log, "\n", "\n"+before))); diff != "" {
					t.Errorf("after %q: %s", before, diff)
				}
			}
			once := "2026-11-26T10:00:00: " + log // before a chunk only
			if diff := cmp.Diff(found, collect(t, once)); diff != "" {
				t.Errorf("with a time before the first line: %s", diff)
			}
			if diff := cmp.Diff(found, collect(t, strings.ReplaceAll(log, "\n", "\r\n"))); diff != "" {
				t.Errorf("with carriage returns: %s", diff)
			}
		})
	}
}

func TestLines(t *testing.T) {
	const call = "\n    at f (/srv/shop/x.js:1:2)"
	tests := []struct {
		name, log string
		want      []Found
	}{
		{"a name that is no error's", "Problem: x" + call, []Found{{Name: "Problem", Message: "x", Stack: "Problem: x" + call, Logger: "console"}}},
		{"a name that is no error's, below an error", "Error: only a line\nProblem: x" + call, []Found{{Name: "Error", Message: "only a line\nProblem: x", Stack: "Error: only a line\nProblem: x" + call, Logger: "console"}}},
		{"in colors", "\x1b[31mError: x\x1b[39m\n\x1b[90m    at f (/srv/shop/x.js:1:2)\x1b[39m", []Found{{Name: "Error", Message: "x", Stack: "Error: x" + call, Logger: "console"}}},
		{"Node 14, a rejection", "(node:17) UnhandledPromiseRejectionWarning: TypeError: x" + call + "\n(node:17) UnhandledPromiseRejectionWarning: Unhandled promise rejection.", []Found{{Name: "TypeError", Message: "x", Stack: "TypeError: x" + call, Logger: "console"}}},
		{"a warning with its calls", "(node:17) MaxListenersExceededWarning: x" + call, nil},
		{"Chinese", "加载失败： Error: 库存不足" + call, []Found{{Name: "Error", Message: "库存不足", Stack: "Error: 库存不足" + call, Logger: "console"}}},
		{"calls without a head", call[1:], nil},
		{"a head that is a sentence", "something happened" + call, nil},
		{"no calls", "TypeError: x\nnext line", nil},
		{"no calls, inspected", "[TypeError: x]\n[Error: y] {\n  code: 'E_Y'\n}\n[17:00:01] fine\n[info] Error: z]", []Found{{Name: "TypeError", Message: "x", Logger: "console"}, {Name: "Error", Code: "E_Y", Message: "y", Logger: "console"}}},
		{"pretty pino", "[10:00:00.000] ERROR (17): boom\n    err: {\n      \"type\": \"TypeError\",\n      \"stack\":\n          TypeError: x\n              at f (/srv/shop/x.js:1:2)\n    }", []Found{{Name: "TypeError", Message: "x", Stack: "TypeError: x" + call, Logger: "console"}}},
		{"Ctrl-C", "Traceback (most recent call last):\n  File \"/x.py\", line 1, in f\n    g()\nKeyboardInterrupt", nil},
		{"a traceback cut off", "Traceback (most recent call last):\n  File \"/x.py\", line 1, in f\n    g()", nil},
		{"bunyan", `{"name":"shop","hostname":"web-1","pid":17,"level":50,"err":{"message":"x","name":"TypeError","stack":"TypeError: x\n    at f (/srv/shop/x.js:1:2)","code":"E_X"},"msg":"x","time":"2026-11-26T10:00:00.000Z","v":0}`, []Found{{Name: "TypeError", Code: "E_X", Message: "x", Stack: "TypeError: x" + call, Logger: "bunyan"}}},
		{"Python's JSON", `{"levelname": "ERROR", "message": "x", "exc_info": "Traceback (most recent call last):\n  File \"/x.py\", line 1, in f\n    g()\nValueError: y"}`, []Found{{Name: "ValueError", Message: "y", Stack: "Traceback (most recent call last):\n  File \"/x.py\", line 1, in f\n    g()\nValueError: y", Logger: "json"}}},
		{"JSON that is none", `{"level":50,"err":{"stack":"Error: x\n    at f (/x.js:1:2)"}`, nil},
		{"JSON of other things", `{"level":"error","err":17,"stack":["\n"],"exception":{"stack":{}},"error":null}`, nil},
		{"a code in the head and in the properties", "TypeError [ERR_A]: x" + call + " {\n  code: 'ERR_B'\n}", []Found{{Name: "TypeError", Code: "ERR_B", Message: "x", Stack: "TypeError [ERR_A]: x" + call, Logger: "console"}}},
		{"a Mongo code", "MongoServerError: E11000" + call + " {\n  code: 11000,\n  inner: {\n    code: 17\n  }\n}", []Found{{Name: "MongoServerError", Code: "11000", Message: "E11000", Stack: "MongoServerError: E11000" + call, Logger: "console"}}},
		{"a brace further left than the head", "  Error: a\n      at f (/srv/shop/x.js:1:2) {\n    a: 1\n }\nx", []Found{{Name: "Error", Message: "a", Stack: "Error: a" + call, Logger: "console"}}},
		{"PostgreSQL", "error: relation \"x\" does not exist" + call + " {\n  length: 101,\n  severity: 'ERROR',\n  code: '42P01'\n}", []Found{{Name: "error", Code: "42P01", Message: "relation \"x\" does not exist", Stack: "error: relation \"x\" does not exist" + call, Logger: "console"}}},
		{"koa", "\n  TypeError: x\n      at f (/srv/shop/x.js:1:2)\n", []Found{{Name: "TypeError", Message: "x", Stack: "TypeError: x" + call, Logger: "console"}}},
		{"a rejection by Node itself", "node:internal/process/promises:389\n      triggerUncaughtException(err, true /* fromPromise */);\n      ^\n\n[Error: ENOENT: no such file or directory, open '/x'] {\n  errno: -2,\n  code: 'ENOENT',\n  syscall: 'open'\n}\n\nNode.js v18.0.0", []Found{{Name: "Error", Code: "ENOENT", Message: "ENOENT: no such file or directory, open '/x'", Logger: "node", Uncaught: true}}},
		{"many addresses", "AggregateError [ECONNREFUSED]: \n    at f (/srv/shop/x.js:1:2) {\n  code: 'ECONNREFUSED',\n  [errors]: [\n    Error: connect ECONNREFUSED ::1:5432\n        at f (/srv/shop/x.js:1:2) {\n      errno: -111,\n      code: 'ECONNREFUSED'\n    },\n    Error: connect ECONNREFUSED 127.0.0.1:5432\n        at f (/srv/shop/x.js:1:2) {\n      errno: -111\n    }\n  ]\n}", []Found{{Name: "AggregateError", Code: "ECONNREFUSED", Stack: "AggregateError [ECONNREFUSED]" + call, Causes: []record.Cause{{Name: "Error", Message: "connect ECONNREFUSED ::1:5432", Stack: "Error: connect ECONNREFUSED ::1:5432" + call}, {Name: "Error", Message: "connect ECONNREFUSED 127.0.0.1:5432", Stack: "Error: connect ECONNREFUSED 127.0.0.1:5432" + call}}, Logger: "console"}}},
		{"two in a row", "Error: a" + call + "\nError: b" + call, []Found{{Name: "Error", Message: "a", Stack: "Error: a" + call, Logger: "console"}, {Name: "Error", Message: "b", Stack: "Error: b" + call, Logger: "console"}}},
		{"a cause without calls", "Error: a" + call + " {\n  [cause]: 'why'\n}", []Found{{Name: "Error", Message: "a", Stack: "Error: a" + call, Causes: []record.Cause{{Name: "Error", Message: "why"}}, Logger: "console"}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for i := range test.want {
				test.want[i].At = start
			}
			if diff := cmp.Diff(test.want, collect(t, test.log)); diff != "" {
				t.Errorf("found (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSilence(t *testing.T) {
	var found []Found
	r, err := New(Options{Emit: func(f Found) { found = append(found, f) }})
	if err != nil {
		t.Fatal(err)
	}
	r.Line([]byte("Error: a"), start)
	r.Line([]byte("    at f (/x.js:1:2)"), start.Add(time.Millisecond))
	if r.Flush(start.Add(Silence)); len(found) != 0 || !r.Pending() {
		t.Fatal("told of before there was silence")
	}
	if r.Flush(start.Add(Silence + time.Millisecond)); len(found) != 1 || r.Pending() {
		t.Fatal("not told of after silence")
	}
	// A head long before calls is not theirs.
	r.Line([]byte("Error: b"), start)
	r.Line([]byte("    at f (/x.js:1:2)"), start.Add(recentTime))
	// And what comes after silence is another's.
	r.Line([]byte("Error: c"), start.Add(2*recentTime))
	r.Line([]byte("    at f (/x.js:1:2)"), start.Add(2*recentTime))
	r.Line([]byte("    at g (/x.js:1:2)"), start.Add(3*recentTime))
	if len(found) != 2 || strings.Contains(found[1].Stack, "at g") {
		t.Errorf("found %+v", found[1:])
	}
	r.End()
	if len(found) != 2 {
		t.Errorf("told of twice: %+v", found)
	}
	if _, err := New(Options{}); err == nil {
		t.Error("nobody to tell is fine")
	}
}

func TestBounds(t *testing.T) {
	var long strings.Builder
	long.WriteString("Error: " + strings.Repeat("长", 5000) + "\n")
	for range 20000 {
		long.WriteString("    at f (/srv/shop/x.js:1:2)\n")
	}
	long.WriteString("Error: y\n    at f (/srv/shop/x.js:1:2) {\n" + strings.Repeat("  more: 'x'\n", 20000) + "}\n")
	for _, f := range collect(t, long.String()) {
		check(t, f)
	}
	traceback := tracebackHead + "\n" + strings.Repeat("  File \"/x.py\", line 1, in f\n", 20000) + "ValueError: x\n" + strings.Repeat("\n", 20000)
	for _, f := range collect(t, traceback) {
		check(t, f)
	}
}

// check is what the record that is made of f has to obey.
func check(t testing.TB, f Found) {
	t.Helper()
	if f.Name == "" || len(f.Name) > record.MaxName || len(f.Code) > record.MaxName || len(f.Message) > record.MaxMessage || len(f.Stack) > record.MaxStack || len(f.Causes) > record.MaxCauses {
		t.Fatalf("over the limits: %d %d %d %d %d", len(f.Name), len(f.Code), len(f.Message), len(f.Stack), len(f.Causes))
	}
	all := f.Name + f.Code + f.Message + f.Stack
	for _, c := range f.Causes {
		all += c.Name + c.Message + c.Stack
		if len(c.Message) > record.MaxMessage || len(c.Stack) > record.MaxStack || len(c.Name) > record.MaxName {
			t.Fatal("a cause is over the limits")
		}
	}
	if !utf8.ValidString(all) || strings.ContainsRune(all, 0) {
		t.Fatalf("not fit to be kept: %q", all)
	}
}

func FuzzLine(f *testing.F) {
	for _, log := range recordings(f) {
		f.Add(log)
	}
	f.Add("2026-11-26T10:00:00: \x1b[Error: x\n[cause]: \n    at f (x:1) {\n  [errors]: [\n")
	f.Fuzz(func(t *testing.T, log string) {
		for _, found := range collect(t, log) {
			check(t, found)
		}
	})
}

func BenchmarkLine(b *testing.B) {
	logs := map[string]string{
		"plain": strings.Repeat("2026-11-26T10:00:00: GET /users/17 200 12 ms\n", 200),
		"json":  strings.Repeat(`{"level":30,"time":1767225600000,"pid":17,"hostname":"web-1","req":{"id":3},"msg":"request completed"}`+"\n", 100),
		"stack": recordings(b)["console"],
	}
	for name, log := range logs {
		b.Run(name, func(b *testing.B) {
			r, err := New(Options{Emit: func(Found) {}})
			if err != nil {
				b.Fatal(err)
			}
			var lines [][]byte
			for l := range strings.SplitSeq(log, "\n") {
				lines = append(lines, []byte(l))
			}
			b.SetBytes(int64(len(log)))
			b.ReportAllocs()
			for b.Loop() {
				for _, l := range lines {
					r.Line(l, start)
				}
			}
		})
	}
}

// TestStackIsTheErrorsOwn: what is printed leaves out calls that the cause has
// too; what is found is the same as when PM2 tells of it.
func TestStackIsTheErrorsOwn(t *testing.T) {
	data, err := os.ReadFile("testdata/same.json")
	if err != nil {
		t.Fatal(err)
	}
	var want [2]string
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	log := recordings(t)["same"]
	found := collect(t, log)
	if len(found) != 1 || len(found[0].Causes) != 1 || !strings.Contains(log, "lines matching cause stack trace") {
		t.Fatalf("found %+v in %s", found, log)
	}
	if diff := cmp.Diff(want, [2]string{found[0].Stack, found[0].Causes[0].Stack}); diff != "" {
		t.Errorf("stacks (-the error's +found):\n%s", diff)
	}
}
