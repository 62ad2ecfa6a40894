//go:build alerts && linux

package alerts

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/doctable"
)

// TestCauses causes each trouble once and holds what is told of it, what its
// links show, what is told when it is over, and that nothing else is.
func TestCauses(t *testing.T) {
	scenes := scenes()
	before := load()
	rows := make([][]row, len(scenes))
	t.Run("scenes", func(t *testing.T) {
		for i, sc := range scenes {
			t.Run(sc.name, func(t *testing.T) {
				t.Parallel()
				s, acts := sc.open(t)
				rows[i] = make([]row, len(acts))
				t.Run("acts", func(t *testing.T) {
					for j, a := range acts {
						t.Run(strings.ReplaceAll(a.name, " ", "-"), func(t *testing.T) {
							t.Parallel()
							rows[i][j] = a.play(t, s)
						})
					}
				})
				s.judge(t)
				s.up.Stop()
			})
		}
	})
	complete := true
	table := doctable.New("cause", "alert", "told after, s", "aim, s", "told besides", "fired and held back", "resolved told after, s", "as shipped", "load")
	for _, scene := range rows {
		complete = complete && scene != nil
		for _, r := range scene {
			if complete = complete && r.played; r.played {
				r.add(table)
			}
		}
	}
	if !complete {
		t.Logf("not all was played, so this is written nowhere (load %s before):\n%s", before, table.Markdown())
		return
	}
	doc.Write(t, "causes", table)
}

// stage is a scene that is opened when its time has come, with its acts.
type stage struct {
	name string
	open func(t *testing.T) (*scene, []act)
}

// scenes are all. Acts of one scene run at the same time, each with an app of its
// own.
func scenes() []stage {
	plain := func(acts func(t *testing.T) []act) func(t *testing.T) (*scene, []act) {
		return func(t *testing.T) (*scene, []act) { return newScene(t, setting{}), acts(t) }
	}
	return []stage{
		{"ends", plain(func(*testing.T) []act { return ends() })},
		{"kernel", func(t *testing.T) (*scene, []act) { return limited(t), []act{kernelKills()} }},
		{"missing", plain(func(*testing.T) []act { return []act{goesMissing()} })},
		{"loops", plain(loops)},
		{"memory", plain(memories)},
		{"requests", plain(requesting)},
		{"deploy", plain(func(t *testing.T) []act { return []act{badDeploy(t)} })},
		{"daemon", plain(func(*testing.T) []act { return []act{daemonDies()} })},
		{"disk", plain(func(t *testing.T) []act { return []act{logDiskFills(t)} })},
		{"agent", func(t *testing.T) (*scene, []act) { a := newAgent(t); return sceneOf(t, false, a), []act{a.dies()} }},
		{"host", func(t *testing.T) (*scene, []act) {
			a, b := newAgent(t), newAgent(t)
			return sceneOf(t, false, a, b), []act{hostDies(a, b)}
		}},
		{"shipping", func(t *testing.T) (*scene, []act) { a := newAgent(t); return sceneOf(t, true, a), []act{a.refused()} }},
		{"robot", func(t *testing.T) (*scene, []act) {
			r, receivers := newRobot(t)
			return newScene(t, setting{receivers: receivers}), []act{rejects(r)}
		}},
	}
}

func (r row) add(table *doctable.Table) {
	shipped := "yes"
	if r.act.changed != "" {
		shipped = "no: " + r.act.changed
	}
	aim := r.act.aim
	took := any(r.took.Seconds())
	if r.took > aim {
		took = fmt.Sprintf("**%.2f**", r.took.Seconds())
	}
	ended := any("not waited for")
	if r.act.mend != nil {
		ended = r.ended.Round(time.Second).Seconds()
	}
	table.Add(r.act.name, r.act.alert, took, aim.Seconds(), list(r.told), list(r.held), ended, shipped, r.load)
}
