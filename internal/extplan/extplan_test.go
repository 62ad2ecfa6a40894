package extplan

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/pm2"
)

func TestPlan(t *testing.T) {
	list := []pm2.Process{
		{Name: "web", Namespace: "default", PMID: 0, ExecMode: "cluster", Interpreter: "node"},
		{Name: "web", Namespace: "default", PMID: 1, ExecMode: "cluster", Interpreter: "node", Preloaded: true},
		{Name: "api", Namespace: "default", PMID: 2, ExecMode: "fork", Interpreter: "node", Preloaded: true, NodeArgs: []string{"--max-old-space-size=200"}},
		{Name: "twin", Namespace: "eu", PMID: 3, ExecMode: "fork", Interpreter: "node"},
		{Name: "twin", Namespace: "us", PMID: 4, ExecMode: "fork", Interpreter: "node"},
		{Name: "$(reboot)", Namespace: "default", PMID: 5, ExecMode: "fork", Interpreter: "node"},
		{Name: "7", Namespace: "default", PMID: 6, ExecMode: "fork", Interpreter: "node"},
		{Name: "all", Namespace: "default", PMID: 7, ExecMode: "fork", Interpreter: "node"},
		{Name: "py", Namespace: "default", PMID: 8, ExecMode: "fork", Interpreter: "python3"},
		{Name: "bun", Namespace: "default", PMID: 9, ExecMode: "fork", Interpreter: "bun"},
		{Name: "npm", Namespace: "default", PMID: 10, ExecMode: "fork", Interpreter: "node", Launcher: "npm"},
		{Name: "bin", Namespace: "default", PMID: 11, ExecMode: "fork", Interpreter: "none"},
		{Name: "typed", Namespace: "default", PMID: 12, ExecMode: "fork", Interpreter: "tsx"},
		{Name: "hidden", Namespace: "default", PMID: 13, ExecMode: "fork", Interpreter: "node", NodeArgs: []string{"--trace-warnings"}, NodeArgsHidden: true},
		{Name: "idle", Namespace: "default", PMID: 14, ExecMode: "fork", Interpreter: "node", Status: pm2.StatusStopped},
		{Name: "env", Namespace: "default", PMID: 15, ExecMode: "fork", Interpreter: "node", Launcher: "yarn", PreloadedByEnv: true},
		{Name: "late", Namespace: "default", PMID: 16, ExecMode: "cluster", Interpreter: "node", PreloadedByEnv: true},
		{Name: "pnpm", Namespace: "default", PMID: 17, ExecMode: "fork", Interpreter: "node", Launcher: "pnpm", Preloaded: true},
	}
	d := Daemon{Label: "deploy", Home: "/home/deploy/.pm2", Apps: Apps(list)}
	want := `PM2 daemon deploy (/home/deploy/.pm2)

  APP        MODE     INTERPRETER  PROCESSES  PM25-EXT
  $(reboot)  fork     node         1          off
  7          fork     node         1          off
  all        fork     node         1          off
  api        fork     node         1          on
  bin        fork     none         1          not possible
  bun        fork     bun          1          not possible
  env        fork     node         1          on, by NODE_OPTIONS
  hidden     fork     node         1          off
  idle       fork     node         1          off
  late       cluster  node         1          off
  npm        fork     node         1          not possible
  pnpm       fork     node         1          on, without effect
  py         fork     python3      1          not possible
  typed      fork     tsx          1          off
  web        cluster  node         2          on in 1 of 2
  eu/twin    fork     node         1          off
  us/twin    fork     node         1          off

Not possible:
  bin   PM2 runs it without Node.js
  bun   Bun is not supported
  npm   PM2 starts npm, which would keep the arguments to itself: make the app's own file the script
  pnpm  PM2 starts pnpm, which would keep the arguments to itself: make the app's own file the script
  py    python3 is not Node.js

Turn it on:
  pm2 restart 5 --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 restart 6 --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 restart 7 --node-args="--require /usr/lib/pm25/ext/register.cjs"
  # pm2 restart hidden --node-args="ITS_OTHER_ARGUMENTS --trace-warnings --require /usr/lib/pm25/ext/register.cjs"
  #   ^ put its own arguments for Node.js there, or they are lost: pm2 describe 13 shows them
  # pm2 restart idle --node-args="--require /usr/lib/pm25/ext/register.cjs"
  #   ^ would start it: PM2 has stopped it, or given it up
  pm2 reload late --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 restart typed --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 reload web --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 restart 3 --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 restart 4 --node-args="--require /usr/lib/pm25/ext/register.cjs"
  pm2 save

Turn it off:
  pm2 restart 5 --node-args=" "
  pm2 restart 6 --node-args=" "
  pm2 restart 7 --node-args=" "
  pm2 restart api --node-args="--max-old-space-size=200"
  # pm2 restart hidden --node-args="ITS_OTHER_ARGUMENTS --trace-warnings"
  #   ^ put its own arguments for Node.js there, or they are lost: pm2 describe 13 shows them
  # pm2 restart idle --node-args=" "
  #   ^ would start it: PM2 has stopped it, or given it up
  pm2 reload late --node-args=" "
  pm2 restart pnpm --node-args=" "
  pm2 restart typed --node-args=" "
  pm2 reload web --node-args=" "
  pm2 restart 3 --node-args=" "
  pm2 restart 4 --node-args=" "
  pm2 save

On in an ecosystem file, whose arguments replace these when the app is started from it:
  $(reboot)  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  7          node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  all        node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  api        node_args: ['--max-old-space-size=200', '--require', '/usr/lib/pm25/ext/register.cjs']
  hidden     node_args: […, '--trace-warnings', '--require', '/usr/lib/pm25/ext/register.cjs']
  idle       node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  late       node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  typed      node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  web        node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  eu/twin    node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
  us/twin    node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']

Off in an ecosystem file:
  $(reboot)  node_args: []
  7          node_args: []
  all        node_args: []
  api        node_args: ['--max-old-space-size=200']
  hidden     node_args: […, '--trace-warnings']
  idle       node_args: []
  late       node_args: []
  pnpm       node_args: []
  typed      node_args: []
  web        node_args: []
  eu/twin    node_args: []
  us/twin    node_args: []

On by NODE_OPTIONS in the app's environment: where that is set, it is turned off.
  env
`
	if diff := cmp.Diff(want, written(t, d, DefaultPath)); diff != "" {
		t.Error(diff)
	}
}

func written(t *testing.T, d Daemon, file string) string {
	t.Helper()
	var out strings.Builder
	if err := d.Write(&out, file); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestPlanWithoutTheFile: nothing that would keep an app from starting, and
// the way out for those that load it.
func TestPlanWithoutTheFile(t *testing.T) {
	d := Daemon{Label: "deploy", Home: "/home/deploy/.pm2", Prefix: "sudo -u deploy env PM2_HOME=/home/deploy/.pm2 ", Apps: Apps([]pm2.Process{
		{Name: "api", Namespace: "default", PMID: 0, ExecMode: "fork", Interpreter: "node", Preloaded: true, NodeArgs: []string{"--import", "tsx"}},
		{Name: "web", Namespace: "default", PMID: 1, ExecMode: "cluster", Interpreter: "node"},
	})}
	for state, says := range map[FileState][2]string{
		Missing: {"on, FILE MISSING", "The file is NOT THERE. Apps that load it will not start again: install pm25-ext, or turn it off."},
		Empty:   {"on, but removed", "The file is empty: pm25-ext was removed. Apps that load it start, and are not measured."},
	} {
		d.File = state
		want := `PM2 daemon deploy (/home/deploy/.pm2)

  APP  MODE     INTERPRETER  PROCESSES  PM25-EXT
  api  fork     node         1          ` + says[0] + `
  web  cluster  node         1          off

` + says[1] + `
  /usr/lib/pm25/ext/register.cjs

Turn it off:
  sudo -u deploy env PM2_HOME=/home/deploy/.pm2 pm2 restart api --node-args="--import tsx"
  sudo -u deploy env PM2_HOME=/home/deploy/.pm2 pm2 save

Off in an ecosystem file:
  api  node_args: ['--import', 'tsx']
`
		if diff := cmp.Diff(want, written(t, d, DefaultPath)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestPathWithSpaces: PM2 splits arguments at spaces, but not within quotes.
func TestPathWithSpaces(t *testing.T) {
	d := Daemon{Apps: Apps([]pm2.Process{{Name: "api", Namespace: "default", ExecMode: "fork", Interpreter: "node", NodeArgs: []string{"--import", "tsx"}}})}
	out := written(t, d, "/opt/my apps/register.cjs")
	for _, want := range []string{
		`  pm2 restart api --node-args='--import tsx --require "/opt/my apps/register.cjs"'` + "\n",
		`  pm2 restart api --node-args="--import tsx"` + "\n",
		`  api  node_args: ['--import', 'tsx', '--require', '/opt/my apps/register.cjs']` + "\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in:\n%s", want, out)
		}
	}
}

// TestDifferentArguments: one command can not give two processes arguments of
// their own.
func TestDifferentArguments(t *testing.T) {
	d := Daemon{Apps: Apps([]pm2.Process{
		{Name: "api", Namespace: "default", ExecMode: "fork", Interpreter: "node", NodeArgs: []string{"--inspect=1"}},
		{Name: "api", Namespace: "default", PMID: 1, ExecMode: "fork", Interpreter: "node", NodeArgs: []string{"--inspect=2"}},
	})}
	if out := written(t, d, DefaultPath); !strings.Contains(out, "# pm2 restart api") || strings.Contains(out, "\n  pm2 restart") {
		t.Error(out)
	}
}
