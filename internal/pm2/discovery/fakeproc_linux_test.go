package discovery

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
)

// fakeProc is a /proc that shows only what a test puts there: real daemons of this
// machine stay out of it.
type fakeProc struct {
	dir  string
	rows []string
}

func newFakeProc(t *testing.T) *fakeProc {
	t.Helper()
	dir, err := os.MkdirTemp("", "proc") // other users may enter it
	check(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	check(t, os.Chmod(dir, 0o755))
	p := &fakeProc{dir: dir}
	check(t, os.Mkdir(filepath.Join(p.dir, "net"), 0o755))
	check(t, os.Symlink("/proc/self", filepath.Join(p.dir, "self")))
	p.write(t)
	return p
}

// listen adds listeners to the table of our network namespace.
func (p *fakeProc) listen(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		p.rows = append(p.rows, fmt.Sprintf("0: 00000002 00000000 00010000 0001 01 %d %s\n", 100+len(p.rows), path))
	}
	p.write(t)
}

func (p *fakeProc) home(t *testing.T, home string) {
	t.Helper()
	p.listen(t, home+"/pub.sock", home+"/rpc.sock")
}

func (p *fakeProc) write(t *testing.T) {
	t.Helper()
	check(t, os.WriteFile(filepath.Join(p.dir, "net", "unix"), []byte("Num …\n"+strings.Join(p.rows, "")), 0o644))
}

// process shows a real process.
func (p *fakeProc) process(t *testing.T, pid int) {
	t.Helper()
	check(t, os.Symlink("/proc/"+strconv.Itoa(pid), filepath.Join(p.dir, strconv.Itoa(pid))))
}

type finderTest struct {
	*Finder
	t        *testing.T
	proc     *fakeProc
	now      time.Time
	log      bytes.Buffer
	rejected []string
}

func newFinderTest(t *testing.T, set func(*Options)) *finderTest {
	t.Helper()
	ft := &finderTest{t: t, proc: newFakeProc(t), now: time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)}
	ft.open(set)
	return ft
}

func (ft *finderTest) open(set func(*Options)) {
	ft.t.Helper()
	o := Options{
		ProcRoot: ft.proc.dir, Logger: log.NewLogfmtLogger(&ft.log),
		Now:    func() time.Time { return ft.now },
		Getenv: func(string) string { return "" },
		OnRejected: func(path string, reason Reason) {
			ft.rejected = append(ft.rejected, string(reason)+" "+filepath.Base(filepath.Dir(filepath.Dir(path))))
		},
	}
	if set != nil {
		set(&o)
	}
	var err error
	ft.Finder, err = New(o)
	check(ft.t, err)
}

func (ft *finderTest) find() map[string]Candidate {
	ft.t.Helper()
	list, err := ft.Find(context.Background())
	check(ft.t, err)
	m := map[string]Candidate{}
	for _, c := range list {
		m[c.Label] = c
	}
	return m
}

// start runs a listener whose process can be seen.
func (ft *finderTest) start(home, title string, o fakeOptions) *fake {
	ft.t.Helper()
	f := startFake(ft.t, home, title, o)
	ft.proc.process(ft.t, f.pid())
	return f
}

func labels(m map[string]Candidate) string {
	var l []string
	for label, c := range m {
		s := label
		if c.Listening {
			s += "+"
		}
		if c.Refused != nil {
			s += "!"
		}
		l = append(l, s)
	}
	slices.Sort(l)
	return strings.Join(l, " ")
}

func me(t *testing.T) string {
	t.Helper()
	if name, _ := hostUser(os.Getuid()); name != "" {
		return name
	}
	return strconv.Itoa(os.Getuid())
}

// part is the word of a home of newHome that its label is made from.
func part(home string) string { return filepath.Base(filepath.Dir(home)) }

func (p *fakeProc) pids(t *testing.T) []string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(p.dir, "[0-9]*"))
	check(t, err)
	for i := range all {
		all[i] = filepath.Base(all[i])
	}
	return all
}
