//go:build matrix

package matrix

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/pm2test"
)

const docsHead = `# What each event of an app's life counts as

<!-- Written by make matrix from what it saw; the expectations are in internal/matrix/events_test.go. -->

Each row is an event that was brought about under a real PM2 with a real ` + "`pm25-agent`" + ` on it. The cells say which reasons of ` + "`pm2_app_exits_total`" + ` moved, and by how much; nothing else in it moved.

| column | the agent |
|---|---|
| live | watched |
| away | was stopped with SIGTERM before the event and started after it |
| rotated | likewise, and PM2's log was copied away and truncated, as pm2-logrotate does, before and after the event |
| lost | likewise, and the copies were removed. Each restart that PM2 still counts is one ` + "`unknown`" + `; an end without a restart is not seen |
| restarts | by which ` + "`pm2_process_restarts_total`" + ` grew, and PM2's own count with it: the same in all ways |

An agent that was itself killed (kill -9) begins at 0: what happened before and meanwhile is not counted, and nothing is counted twice.
If the agent is stopped while PM2 waits for an app to end, the end still gets its reason. Rotation of PM2's log while the agent watches changes nothing.

Not in the tables:

- ` + "`oom_kill`" + `: SIGKILL while the kernel's count of out-of-memory kills moved.
- A restart count that PM2 set back (` + "`pm2 reset`" + `) and that then grew again while the agent was away: PM2 says only where it stands, so the restarts up to the old value are missing from ` + "`pm2_process_restarts_total`" + `. The ends are not.
- Compressed copies of PM2's log are not read. If the agent was away for two rotations with compression, its place is lost.
`

// writeDocs makes docs/life-events.md of what was seen.
func writeDocs(t *testing.T, path string, seen map[string]results) {
	var out bytes.Buffer
	out.WriteString(docsHead)
	var notes []string
	for _, version := range pm2test.Versions() {
		for _, mode := range []string{fork, cluster} {
			fmt.Fprintf(&out, "\n## PM2 %s, %s mode\n\n", version, mode)
			out.WriteString("| event | live | away | rotated | lost | restarts | |\n|---|---|---|---|---|---|---|\n")
			for i := range events {
				if e := &events[i]; e.mode == mode {
					line, ok := row(e, seen[version], &notes)
					if !ok {
						t.Logf("%s is left as it is: not everything was tried", path)
						return
					}
					out.WriteString(line)
				}
			}
		}
	}
	out.WriteString("\n## Notes\n\n")
	for i, note := range notes {
		fmt.Fprintf(&out, "%d. %s\n", i+1, note)
	}
	if err := os.WriteFile(path, out.Bytes(), 0o644); err != nil {
		t.Error(err)
	}
}

// row is false for an event that was not tried in every way.
func row(e *event, seen results, notes *[]string) (string, bool) {
	cells := []string{e.name}
	for _, w := range []way{live, away, rotated, lost} {
		got, ok := seen[resultKey{e.name, e.mode, w.name}]
		switch {
		case !ok && (!e.act.daemon || w != lost):
			return "", false
		case !ok:
			cells = append(cells, "")
		case got.exits.String() == "":
			cells = append(cells, "–")
		default:
			cells = append(cells, got.exits.String())
		}
	}
	restarts := "–"
	if n := seen[resultKey{e.name, e.mode, live.name}].restarts; n > 0 {
		restarts = strconv.Itoa(n)
	}
	mark := ""
	if e.note != "" {
		if !slices.Contains(*notes, e.note) {
			*notes = append(*notes, e.note)
		}
		mark = strconv.Itoa(slices.Index(*notes, e.note) + 1)
	}
	cells = append(cells, restarts, mark)
	return fmt.Sprintf("| %s |\n", strings.Join(cells, " | ")), true
}
