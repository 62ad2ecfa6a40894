package procfs

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// world is a kernel whose processes do what the test says. It bills CPU as
// Linux does: to the process, and once it is waited for to its parent.
type world struct {
	t       *testing.T
	procs   map[int]*worldProc
	started uint64
	kept    int
	// between runs before each answer, so that the world moves on in the
	// middle of a round.
	between func()
	// gossip is added to each list of children, as a scan that is out of
	// date does.
	gossip func() []int
}

type worldProc struct {
	ppid, pid   int
	start       uint64
	own, waited uint64
	zombie      bool
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, procs: make(map[int]*worldProc), between: func() {}, gossip: func() []int { return nil }}
	w.fork(0, 1)
	return w
}

func (w *world) fork(ppid, pid int) {
	w.started++
	w.procs[pid] = &worldProc{ppid: ppid, pid: pid, start: w.started}
}

// exit ends a process, whose children become those of init.
func (w *world) exit(pid int) {
	for _, p := range w.procs {
		if p.ppid == pid {
			p.ppid = 0
		}
	}
	w.procs[pid].zombie = true
}

func (w *world) reap(pid int, billed bool) {
	p := w.procs[pid]
	if parent := w.procs[p.ppid]; billed && parent != nil {
		parent.waited += p.own + p.waited
	}
	delete(w.procs, pid)
}

func (w *world) open(pid int) (handle, error) {
	w.between()
	p := w.procs[pid]
	if p == nil {
		return handle{}, ErrGone
	}
	w.kept++
	return handle{pid: pid, start: p.start}, nil
}

func (w *world) close(*handle) {
	if w.kept--; w.kept < 0 {
		w.t.Error("closed more than was opened")
	}
}

func (w *world) stat(h *handle, s *stat) error {
	w.between()
	p := w.procs[h.pid]
	if p == nil || p.start != h.start {
		return ErrGone
	}
	*s = stat{ppid: p.ppid, state: 'S', threads: 1, user: p.own, waited: p.waited, start: p.start, residentMemory: 1}
	if p.zombie {
		s.state, s.residentMemory = 'Z', 0
	}
	return nil
}

func (w *world) children(h *handle, dst []int) []int {
	w.between()
	for _, p := range w.procs {
		if p.ppid == h.pid {
			dst = append(dst, p.pid)
		}
	}
	dst = append(dst, w.gossip()...)
	slices.Sort(dst)
	return dst
}

func (w *world) update(tr *tree) {
	var st stat
	if err := w.stat(&tr.root.handle, &st); err != nil {
		w.t.Fatal(err)
	}
	tr.update(w, &st, 1000, 100)
}

func newTree(w *world) *tree {
	tr := &tree{}
	tr.root.handle = handle{pid: 1, start: w.procs[1].start}
	return tr
}

func TestTreeBillsOnce(t *testing.T) {
	w := newWorld(t)
	tr := newTree(w)
	total := func(want uint64) {
		t.Helper()
		w.update(tr)
		if tr.total != want {
			t.Errorf("the total is %d, want %d", tr.total, want)
		}
	}
	w.procs[1].waited = 5
	total(5)
	w.fork(1, 2)
	w.fork(2, 3)
	w.procs[2].own, w.procs[3].own = 10, 20
	total(35)
	w.procs[3].own = 25
	w.exit(3)
	total(40) // a zombie has its time
	w.reap(3, true)
	total(40) // which goes to its parent
	w.procs[2].own = 11
	w.exit(2)
	w.reap(2, true)
	total(41) // and on, with what nobody has seen
	w.fork(1, 2)
	w.procs[2].own = 7
	total(48) // the same number is somebody else
	w.exit(2)
	w.reap(2, false)
	total(48) // nobody waits for it: what was seen stays
	w.fork(1, 4)
	w.procs[4].own = 9
	w.update(tr)
	total(57) // and does not swallow the time of others
	w.exit(4)
	w.reap(4, true)
	total(57)
	w.fork(1, 5)
	w.fork(5, 6)
	w.procs[6].own = 3
	total(60)
	w.exit(5)
	w.reap(5, true)
	total(60) // 6 is an orphan and not ours
	if tr.living != 0 || w.kept != 0 {
		t.Errorf("%d living, %d kept", tr.living, w.kept)
	}
}

// A child may go between the read of its parent and its own.
func TestTreeRaces(t *testing.T) {
	w := newWorld(t)
	tr := newTree(w)
	w.fork(1, 2)
	w.procs[2].own = 100
	w.update(tr)
	w.procs[2].own = 103
	calls := 0
	w.between = func() {
		if calls++; calls == 2 { // after the parent's stat
			w.exit(2)
			w.reap(2, true)
		}
	}
	w.update(tr)
	if tr.total != 100 {
		t.Errorf("in between the total is %d, want what was known", tr.total)
	}
	w.update(tr)
	if tr.total != 103 {
		t.Errorf("the total is %d, want 103", tr.total)
	}
}

// However processes come and go, also in the middle of a round, the total
// never falls and never exceeds what was used.
func TestTreeAtRandom(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		tr := newTree(w)
		var used uint64
		orphans := seed%2 == 0 // else only those without children exit
		next := 2
		step := func() {
			pids := make([]int, 0, len(w.procs))
			for pid := range w.procs {
				pids = append(pids, pid)
			}
			slices.Sort(pids)
			pid := pids[rnd.IntN(len(pids))]
			p := w.procs[pid]
			switch ours := w.descends(pid); {
			case p.zombie:
				w.reap(pid, true)
			case rnd.IntN(3) > 0 && pid != 1 && ours:
				n := rnd.Uint64N(10)
				p.own += n
				used += n
			case rnd.IntN(2) == 0 && ours:
				if len(w.procs) > 12 {
					return
				}
				// Numbers come again soon.
				for next = 2 + next%15; w.procs[next] != nil; {
					next = 2 + next%15
				}
				w.fork(pid, next)
			case pid != 1:
				if orphans || w.isLeaf(pid) {
					w.exit(pid)
				}
			}
		}
		w.between = func() {
			if rnd.IntN(4) == 0 {
				step()
			}
		}
		w.gossip = func() []int { return []int{2 + rnd.IntN(15), 2 + rnd.IntN(15)} }
		var last uint64
		for range 300 {
			for range rnd.IntN(6) {
				step()
			}
			w.update(tr)
			if tr.total < last {
				t.Fatalf("seed %d: the total fell from %d to %d", seed, last, tr.total)
			}
			if last = tr.total; last > used {
				t.Fatalf("seed %d: the total is %d, but only %d was used", seed, last, used)
			}
		}
		// Let all finish, waited for: then nothing may be missing.
		w.between = func() {}
		w.gossip = func() []int { return nil }
		for len(w.procs) > 1 {
			for pid, p := range w.procs {
				if pid != 1 && w.isLeaf(pid) {
					w.exit(p.pid)
					w.reap(p.pid, true)
				}
			}
			w.update(tr)
		}
		w.update(tr)
		if !orphans && tr.total != used {
			t.Errorf("seed %d: the total is %d, %d was used", seed, tr.total, used)
		}
		if w.kept != 0 {
			t.Errorf("seed %d: %d are kept", seed, w.kept)
		}
	}
}

// descends tells whether a process is below the root of the test, or it.
func (w *world) descends(pid int) bool {
	for pid != 0 && pid != 1 {
		p := w.procs[pid]
		if p == nil {
			return false
		}
		pid = p.ppid
	}
	return pid == 1
}

func (w *world) isLeaf(pid int) bool {
	for _, p := range w.procs {
		if p.ppid == pid {
			return false
		}
	}
	return true
}
