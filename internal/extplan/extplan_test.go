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
		{Name: "api", Namespace: "default", PMID: 2, ExecMode: "fork", Interpreter: "node", Preloaded: true, NodeArgs: true},
		{Name: "twin", Namespace: "eu", PMID: 3, ExecMode: "fork", Interpreter: "node"},
		{Name: "twin", Namespace: "us", PMID: 4, ExecMode: "fork", Interpreter: "node"},
		{Name: "$(reboot)", Namespace: "default", PMID: 5, ExecMode: "fork", Interpreter: "node"},
		{Name: "7", Namespace: "default", PMID: 6, ExecMode: "fork", Interpreter: "node"},
		{Name: "all", Namespace: "default", PMID: 7, ExecMode: "fork", Interpreter: "node"},
		{Name: "py", Namespace: "default", PMID: 8, ExecMode: "fork", Interpreter: "python3"},
		{Name: "bun", Namespace: "default", PMID: 9, ExecMode: "fork", Interpreter: "bun"},
		{Name: "npm", Namespace: "default", PMID: 10, ExecMode: "fork", Interpreter: "node", Launcher: "npm"},
		{Name: "bin", Namespace: "default", PMID: 11, ExecMode: "fork", Interpreter: "none"},
	}
	d := Daemon{Label: "deploy", Home: "/home/deploy/.pm2", Apps: Apps(list), Missing: true}
	var out strings.Builder
	if err := d.Write(&out, DefaultPath); err != nil {
		t.Fatal(err)
	}
	want := `PM2 daemon deploy (/home/deploy/.pm2)
  /usr/lib/pm25/ext/register.cjs is not there: install pm25-ext before you turn it on, or no app would start

  $(reboot)  (fork, node, processes: 1): off
    on:   pm2 restart 5 --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart 5 --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []

  7  (fork, node, processes: 1): off
    on:   pm2 restart 6 --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart 6 --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []

  all  (fork, node, processes: 1): off
    on:   pm2 restart 7 --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart 7 --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []

  api  (fork, node, processes: 1): on
    on:   pm2 restart api --node-args="ITS_OTHER_ARGUMENTS --require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: [ITS_OTHER_ARGUMENTS, '--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart api --node-args="ITS_OTHER_ARGUMENTS" && pm2 save
         or in its ecosystem file  node_args: [ITS_OTHER_ARGUMENTS]
    It has other arguments for Node.js, which PM2 would drop. Put them in place of ITS_OTHER_ARGUMENTS: pm2 describe 2 shows them.

  bin  (fork, none, processes: 1): not supported: PM2 runs it without Node.js

  bun  (fork, bun, processes: 1): Bun is not supported

  npm  (fork, node, processes: 1): PM2 runs it through npm, where arguments for Node.js do not reach the app: name the app's own file as script, or let package.json start it with node --require

  py  (fork, python3, processes: 1): not supported: its interpreter is python3, not Node.js

  web  (cluster, node, processes: 2): on for 1
    on:   pm2 reload web --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 reload web --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []

  eu/twin  (fork, node, processes: 1): off
    on:   pm2 restart 3 --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart 3 --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []

  us/twin  (fork, node, processes: 1): off
    on:   pm2 restart 4 --node-args="--require /usr/lib/pm25/ext/register.cjs" && pm2 save
         or in its ecosystem file  node_args: ['--require', '/usr/lib/pm25/ext/register.cjs']
    off:  pm2 restart 4 --node-args=" " && pm2 save
         or in its ecosystem file  node_args: []
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
