package pm2

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew)\n%s", name, diff)
	}
}

func recorded(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// recordedList is the recorded list of processes without what is around it.
func recordedList(t testing.TB) []byte {
	t.Helper()
	var doc struct{ Args []json.RawMessage }
	if err := json.Unmarshal(recorded(t, "getMonitorData.json"), &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Args[0]
}

func decode(data []byte) ([]Process, error) {
	s := jsonscan.New()
	s.Reset(bytes.NewReader(data))
	return decodeList(s, testPreload, nil)
}

func TestDecodeRecordedList(t *testing.T) {
	list, err := decode(recordedList(t))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, p := range list {
		p.StartedAt = p.StartedAt.UTC()
		fmt.Fprintf(&out, "%+v\n", p)
	}
	golden(t, "list.golden", out.String())
	if strings.Contains(out.String(), "env value") {
		t.Error("a value of the environment is in it")
	}
}

// one makes a list of one process of JSON members of the process and of its
// pm2_env.
func one(top, env string) []byte {
	return []byte(`[{"pm_id":3,` + top + `"pm2_env":{` + env + `}}]`)
}

func TestDecodeOddValues(t *testing.T) {
	at := func(ms int64) time.Time { return time.UnixMilli(ms) }
	base := Process{PMID: 3, Namespace: "default"}
	with := func(f func(*Process)) Process { p := base; f(&p); return p }
	for name, c := range map[string]struct {
		in   []byte
		want Process
	}{
		"strings for numbers": {
			one(`"pid":"12","monit":{"memory":"5"},`, `"restart_time":"7","exit_code":"3","pm_uptime":"1795343533050","max_memory_restart":"10"`),
			with(func(p *Process) {
				p.PID, p.MemoryBytes, p.Restarts, p.ExitCode, p.HasExitCode, p.MemoryLimitBytes = 12, 5, 7, 3, true, 10
				p.StartedAt = at(1795343533050)
			}),
		},
		"out of range":       {one(`"pid":-1,"monit":{"memory":-5},`, `"restart_time":1e300,"exit_code":1e12,"pm_uptime":1,"unstable_restarts":-1,"created_at":1e20`), base},
		"null everywhere":    {one(`"pid":null,"name":null,"monit":null,`, `"status":null,"namespace":null,"restart_time":null,"axm_monitor":null,"versioning":null`), base},
		"objects everywhere": {one(`"pid":{},"name":{"a":1},"monit":[],`, `"status":{},"namespace":[],"restart_time":{"x":[1]},"axm_monitor":"x","versioning":3,"exit_code":[],"version":{}`), base},
		"true everywhere":    {one(`"pid":true,"monit":true,`, `"restart_time":true,"axm_monitor":true,"exit_code":true,"pm_uptime":false`), base},
		"fractions":          {one(`"pid":1.5,`, `"restart_time":2.9,"exit_code":1.2`), with(func(p *Process) { p.Restarts, p.ExitCode, p.HasExitCode = 2, 1, true })},
		"modes and versions": {one("", `"exec_mode":"cluster_mode","exec_interpreter":"/usr/bin/node","version":"N/A","node_version":"20.1.0","versioning":{"revision":"abc"}`), with(func(p *Process) {
			p.ExecMode, p.Interpreter, p.NodeVersion, p.Revision = "cluster", "node", "20.1.0", "abc"
		})},
		"an instance's name":  {one("", `"NODE_APP_INSTANCE":"secret"`), base},
		"an instance":         {one("", `"NODE_APP_INSTANCE":1`), with(func(p *Process) { p.InstanceID = "1" })},
		"a key of 10 000":     {one("", `"`+strings.Repeat("k", 10000)+`":1,"restart_time":1`), with(func(p *Process) { p.Restarts = 1 })},
		"a name with newline": {one(`"name":"a\nb",`, ``), with(func(p *Process) { p.Name = SafeName([]byte("a\nb")) })},
		"metrics": {
			one("", `"axm_monitor":{"Heap Size":{"value":"1","type":"internal/v8/heap/total"},"users":{"value":"7","unit":"u","type":"users"},"text":{"value":"hi"},"":{"value":1},"nan":{"value":"NaN"}}`),
			with(func(p *Process) { p.Metrics, p.MetricsDropped = []CustomMetric{{"users", "u", 7}}, 1 }),
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decode(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]Process{c.want}, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestDecodeKeepsNoProcessWithoutID(t *testing.T) {
	for _, in := range []string{`[{}]`, `[1,"x",null,[],{"pm_id":"_old_0"},{"pm_id":-1},{"pm_id":1.5}]`, `{}`, `"x"`, `null`} {
		if got, err := decode([]byte(in)); err != nil || len(got) != 0 {
			t.Errorf("%s: %+v, %v", in, got, err)
		}
	}
}

// TestMetricNamesStayApart: two names of an app never become one.
func TestMetricNamesStayApart(t *testing.T) {
	names := []string{`a b`, `a_b`, `a\nb`, `a\tb`, `a\u0000b`, `a\ufffdb`, `\ud800`, `\ud801`, `\udc00`, strings.Repeat("x", 200), strings.Repeat("x", 201), `~`, `指标`}
	var members []string
	for _, n := range names {
		members = append(members, `"`+n+`":{"value":1,"type":"t"}`)
	}
	got, err := decode(one("", `"axm_monitor":{`+strings.Join(members, ",")+`}`))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, m := range got[0].Metrics {
		if seen[m.Name] {
			t.Errorf("%q comes twice", m.Name)
		}
		if len(m.Name) > maxName {
			t.Errorf("%q is too long", m.Name)
		}
		seen[m.Name] = true
	}
	if n := len(got[0].Metrics) + got[0].MetricsDropped; n != len(names) {
		t.Errorf("%d of %d are accounted for", n, len(names))
	}
}

func TestMetricsAreBounded(t *testing.T) {
	var b strings.Builder
	for i := range maxMetrics + 50 {
		fmt.Fprintf(&b, `"m%d":{"value":%d},`, i, i)
	}
	got, err := decode(one("", `"axm_monitor":{`+strings.TrimSuffix(b.String(), ",")+`}`))
	if err != nil {
		t.Fatal(err)
	}
	if p := got[0]; len(p.Metrics) != maxMetrics || p.MetricsDropped != 50 {
		t.Errorf("%d kept, %d dropped", len(p.Metrics), p.MetricsDropped)
	}
}

// labelFields are the environment variables that PM2 itself takes for settings
// of the app, and that become labels.
var labelFields = map[string]bool{
	"name": true, "namespace": true, "status": true, "unique_id": true, "exec_mode": true, "exec_interpreter": true,
	"node_version": true, "version": true, "cron_restart": true, "pm_out_log_path": true, "pm_err_log_path": true, "pm_cwd": true,
}

// TestNoEnvironmentLeaks replaces every text in the recorded list that an app
// or its owner may have put there by a canary and looks for them.
func TestNoEnvironmentLeaks(t *testing.T) {
	var list []map[string]any
	if err := json.Unmarshal(recordedList(t), &list); err != nil {
		t.Fatal(err)
	}
	n := 0
	canary := func() string { n++; return fmt.Sprintf("canary%04d", n) }
	keys := []string{"DATABASE_URL", "AWS_SECRET_ACCESS_KEY", "NODE_APP_INSTANCE", "pid", "pm_id", "restart_time", "exit_code", "revision", "value", "unit", "PATH", "env", "args"}
	for _, p := range list {
		env := p["pm2_env"].(map[string]any)
		inner := map[string]any{}
		for k := range env["env"].(map[string]any) {
			inner[k] = canary()
		}
		for _, k := range keys {
			inner[k] = canary()
		}
		for k, v := range env {
			if _, text := v.(string); text && !labelFields[k] {
				env[k] = canary()
			}
		}
		for k := range inner {
			if !labelFields[k] {
				env[k] = canary() // flattened, as PM2 does
			}
		}
		env["env"] = inner
		env["args"] = []string{"--password", canary()}
		env["node_args"] = []string{"--require", canary()}
		env["filter_env"] = []string{canary()}
		env["axm_options"] = map[string]any{"module_conf": map[string]any{"password": canary()}, "x": canary()}
		env["module_conf"] = map[string]any{"password": canary()}
		env["axm_dynamic"] = map[string]any{"a": canary()}
		env["axm_actions"] = []any{map[string]any{"action_name": canary()}}
		env["versioning"] = map[string]any{"url": canary(), "comment": canary()}
		env["axm_monitor"] = map[string]any{"m": map[string]any{"value": canary(), "historic": canary()}}
		p["secret"] = canary()
		p["monit"] = map[string]any{"cpu": canary(), "memory": canary()}
	}
	data, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(data, []byte("canary")); n < 500 {
		t.Fatalf("only %d canaries in the list", n)
	}
	got, err := decode(data)
	if err != nil || len(got) != len(list) {
		t.Fatalf("%d processes of %d: %v", len(got), len(list), err)
	}
	if out := fmt.Sprintf("%+v", got); strings.Contains(out, "canary") {
		t.Errorf("it leaks:\n%s", out)
	}
}

func FuzzDecodeList(f *testing.F) {
	f.Add(recordedList(f))
	f.Add(one(`"name":"\ud800\n",`, `"axm_monitor":{"a":{"value":"1e999","unit":{}}},"status":"x\\\""`))
	f.Add([]byte(strings.Repeat("[", 5000)))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := decode(data)
		if len(list) > len(data) {
			t.Errorf("%d processes of %d bytes", len(list), len(data))
		}
		for _, p := range list {
			if len(p.Name) > maxName || len(p.Namespace) > maxName || len(p.Status) > 3*32 || p.Restarts < 0 || p.PID < 0 {
				t.Errorf("out of bounds: %+v (%v)", p, err)
			}
		}
	})
}

// list100 is the recorded list grown to a hundred processes.
func list100(t testing.TB) []byte {
	var list []json.RawMessage
	if err := json.Unmarshal(recordedList(t), &list); err != nil {
		t.Fatal(err)
	}
	var out []json.RawMessage
	for i := range 100 {
		out = append(out, list[i%len(list)])
	}
	data, err := json.Marshal(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func BenchmarkList100(b *testing.B) {
	data := list100(b)
	s := jsonscan.New()
	r := bytes.NewReader(nil)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	var list []Process
	for b.Loop() {
		r.Reset(data)
		s.Reset(r)
		var err error
		if list, err = decodeList(s, testPreload, list[:0]); err != nil || len(list) != 100 {
			b.Fatalf("%d processes: %v", len(list), err)
		}
	}
}

// heap is what lives in memory now.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

const testPreload = "/usr/lib/pm25/ext/register.cjs"

func TestNodeArguments(t *testing.T) {
	type found struct {
		Preloaded, ByEnv bool
		Args             string
		Hidden           bool
		Launcher         string
	}
	for env, want := range map[string]found{
		`"node_args":[]`: {},
		`"node_args":["--require","` + testPreload + `"]`:                                      {Preloaded: true},
		`"node_args":["--require=` + testPreload + `","--token=canary"]`:                       {Preloaded: true, Hidden: true},
		`"node_args":"-r ` + testPreload + ` --max-old-space-size=20"`:                         {Preloaded: true, Args: "--max-old-space-size=20"},
		`"node_args":"--require \"` + testPreload + `\""`:                                      {Preloaded: true},
		`"node_args":["--require","/other` + testPreload + `"]`:                                {Args: "--require /other" + testPreload},
		`"node_args":["--inspect=127.0.0.1:9229","--import","tsx","--enable-source-maps"]`:     {Args: "--inspect=127.0.0.1:9229 --import tsx --enable-source-maps"},
		`"node_args":["--import=data:text/javascript,canary()"]`:                               {Hidden: true},
		`"node_args":["-r","./$(canary).js"]`:                                                  {Hidden: true},
		`"node_args":["-e","canary()","--trace-warnings"]`:                                     {Hidden: true, Args: "--trace-warnings"},
		`"node_args":["--unhandled-rejections=strict","--title=canary","--require"]`:           {Hidden: true, Args: "--unhandled-rejections=strict"},
		`"node_args":["` + strings.Repeat(`--a1","`, maxNodeArgs) + `--b1"]`:                   {Hidden: true, Args: strings.TrimSpace(strings.Repeat("--a1 ", maxNodeArgs))},
		`"node_args":{"a":["` + testPreload + `"]}`:                                            {},
		`"node_args":[["` + testPreload + `"],7,null]`:                                         {Hidden: true},
		`"args":["` + testPreload + `"]`:                                                       {},
		`"NODE_OPTIONS":"--token=canary --require ` + testPreload + `"`:                        {ByEnv: true},
		`"NODE_OPTIONS":"--require=` + testPreload + `"`:                                       {ByEnv: true},
		`"NODE_OPTIONS":"--require \"` + testPreload + `\""`:                                   {ByEnv: true},
		`"NODE_OPTIONS":"--require /other` + testPreload + `"`:                                 {},
		`"env":{"NODE_OPTIONS":"--require ` + testPreload + `"}`:                               {},
		`"pm_exec_path":"/usr/lib/node_modules/npm/bin/npm-cli.js"`:                            {Launcher: "npm"},
		`"pm_exec_path":"/usr/bin/yarn"`:                                                       {Launcher: "yarn"},
		`"pm_exec_path":"/srv/npm/canary.js"`:                                                  {},
		`"pm_exec_path":"/opt/pnpm.cjs","node_args":["-r","` + testPreload + `"],"args":["x"]`: {Preloaded: true, Launcher: "pnpm"},
	} {
		list := listOf(t, env, testPreload)
		p := list[0]
		if diff := cmp.Diff(want, found{p.Preloaded, p.PreloadedByEnv, strings.Join(p.NodeArgs, " "), p.NodeArgsHidden, p.Launcher}); diff != "" {
			t.Errorf("%s: %s", env, diff)
		}
		if strings.Contains(fmt.Sprintf("%+v", p), "canary") {
			t.Errorf("%s: an argument leaves the decoder", env)
		}
		if p := listOf(t, env, "")[0]; p.Preloaded || p.PreloadedByEnv || p.NodeArgs != nil || p.NodeArgsHidden {
			t.Errorf("%s: taken although nobody asked: %+v", env, p)
		}
	}

	const spaced = "/opt/my apps/pm25/ext/register.cjs"
	for _, env := range []string{
		`"node_args":["--require","` + spaced + `"]`, `"node_args":["-r=` + spaced + `"]`, `"node_args":"--require '` + spaced + `'"`,
	} {
		if p := listOf(t, env, spaced)[0]; !p.Preloaded || p.NodeArgs != nil || p.NodeArgsHidden {
			t.Errorf("%s: %+v", env, p)
		}
	}
}

// listOf decodes one process with these settings.
func listOf(t *testing.T, env, preload string) []Process {
	t.Helper()
	s := jsonscan.New()
	s.Reset(strings.NewReader(`[{"pm_id":0,"name":"a","pm2_env":{` + env + `}}]`))
	list, err := decodeList(s, preload, nil)
	if err != nil || len(list) != 1 {
		t.Fatalf("%s: %v", env, err)
	}
	return list
}

func TestPM2sLatencies(t *testing.T) {
	s := jsonscan.New()
	s.Reset(strings.NewReader(`[{"pm_id":0,"pm2_env":{"axm_monitor":{
		"HTTP Mean Latency":{"value":3,"unit":"ms","type":"internal/http/builtin/latency/p50"},
		"HTTP P95 Latency":{"value":"12","type":"internal/http/builtin/latency/p95"},
		"again":{"value":1,"type":"internal/http/builtin/latency/p95"},
		"HTTP":{"value":7,"type":"internal/http/builtin/reqs"},"Heap Size":{"value":1,"type":"internal/v8/heap/total"}}}}]`))
	list, err := decodeList(s, "", nil)
	if err != nil || len(list) != 1 {
		t.Fatal(err)
	}
	want := []CustomMetric{{"PM2's recent HTTP latency, median", "ms", 3}, {"PM2's recent HTTP latency, 95th percentile", "ms", 12}}
	if diff := cmp.Diff(want, list[0].Latencies); diff != "" || len(list[0].Metrics) != 0 {
		t.Errorf("%s %v", diff, list[0].Metrics)
	}
}
