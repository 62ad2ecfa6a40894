package procfs

// kernel is where a tree gets its facts: the /proc of Linux, or gopsutil.
type kernel interface {
	// open pins a process, so that what follows is about it and no other.
	open(pid int) (handle, error)
	// close is called once for each open.
	close(*handle)
	// stat fails once the process is gone.
	stat(*handle, *stat) error
	// children appends the numbers of possible children: some may be gone
	// or belong to others, some may be missing.
	children(*handle, []int) []int
}

// handle is one process that is held on to. The descriptors are those of the
// Linux reader, -1 where there is none.
type handle struct {
	pid                int
	start              uint64
	stat, list, fds    int
	retryDeniedFDsScan uint64 // see linux.openFDs
}

// node is one process of a tree.
type node struct {
	handle handle
	parent *node
	depth  int
	seen   uint64 // the last round in which it was in the tree
	dead   bool
	zombie bool

	own, waited   uint64
	dOwn, dWaited uint64 // growth in this round
	// debt is CPU time that was counted already while its process lived and
	// that will come back in waited: from processes that died in the round
	// before, and in this one.
	debt, debtNew uint64

	resident uint64
}

// tree follows the descendants of one process, and adds up their CPU time.
//
// The plain sum over the living, plus what they have waited for, would fall
// whenever a process dies without being waited for, and by the width of a
// race whenever one dies between two reads. So each process' growth is added
// to a total instead. Time of a dead child that its parent has waited for
// comes back in the parent's waited; the part that was counted while the
// child lived is a debt, taken off there. A parent is read before its
// children, so that time can be missing in one round and come in the next,
// but is never counted twice; for that a debt lasts two rounds. What is still
// not paid then belongs to a child that nobody waited for.
type tree struct {
	root  node
	nodes []*node // in order of discovery, so mostly parents first
	byPID map[int]*node
	queue []*node
	pids  []int
	round uint64
	total uint64
	st    stat

	living    int
	resident  uint64
	truncated bool
}

// entry is what a Source keeps of one process that it is asked for.
type entry struct {
	tree     tree
	scanned  uint64 // the scan whose findings this tree has taken in
	retained uint64
}

// update walks the descendants. rootStat has just been read from t.root.
func (t *tree) update(k kernel, rootStat *stat, maxNodes, maxDepth int) {
	t.round++
	t.truncated = false
	t.living, t.resident = 0, 0
	t.root.note(rootStat)
	t.root.seen = t.round
	t.queue = append(t.queue[:0], &t.root)
	for next := 0; ; {
		for ; next < len(t.queue); next++ {
			t.expand(k, t.queue[next], maxNodes, maxDepth)
		}
		if !t.adoptStrays(k) {
			break
		}
	}
	t.settle(k)
}

// expand visits the children of x.
func (t *tree) expand(k kernel, x *node, maxNodes, maxDepth int) {
	if x.zombie {
		return
	}
	t.pids = k.children(&x.handle, t.pids[:0])
	for _, pid := range t.pids {
		t.visit(k, pid, x, maxNodes, maxDepth)
	}
}

func (t *tree) visit(k kernel, pid int, parent *node, maxNodes, maxDepth int) {
	n := t.byPID[pid]
	if n != nil && n.seen == t.round || pid == t.root.handle.pid {
		return
	}
	if n != nil {
		if k.stat(&n.handle, &t.st) == nil {
			if t.st.ppid == parent.handle.pid {
				t.adopt(n, parent)
			}
			return
		}
		t.bury(k, n)
	}
	if len(t.byPID) >= maxNodes || parent.depth >= maxDepth {
		t.truncated = true
		return
	}
	h, err := k.open(pid)
	if err != nil {
		return
	}
	if k.stat(&h, &t.st) != nil || t.st.ppid != parent.handle.pid {
		k.close(&h)
		return
	}
	n = &node{handle: h}
	if t.byPID == nil {
		t.byPID = make(map[int]*node)
	}
	t.byPID[pid] = n
	t.nodes = append(t.nodes, n)
	t.adopt(n, parent)
}

// adopt takes n, of which t.st was just read, into this round.
func (t *tree) adopt(n, parent *node) {
	n.note(&t.st)
	n.seen = t.round
	n.parent = parent
	n.depth = parent.depth + 1
	t.queue = append(t.queue, n)
}

// adoptStrays looks after processes that are known and were not listed: dead,
// moved to another parent, child of a thread that is not the main one, or
// left out by the kernel, whose lists have gaps while siblings die. It tells
// whether the walk must go on from some of them.
func (t *tree) adoptStrays(k kernel) bool {
	more := false
	for _, n := range t.nodes {
		if n.seen == t.round || n.dead {
			continue
		}
		if k.stat(&n.handle, &t.st) != nil {
			t.bury(k, n)
			continue
		}
		parent := t.byPID[t.st.ppid]
		if t.st.ppid == t.root.handle.pid {
			parent = &t.root
		}
		if parent != nil && parent.seen == t.round {
			t.adopt(n, parent)
			more = true
		}
	}
	return more
}

func (t *tree) bury(k kernel, n *node) {
	n.dead = true
	k.close(&n.handle)
	delete(t.byPID, n.handle.pid)
}

// settle adds the growth of this round to the total, and forgets who left.
func (t *tree) settle(k kernel) {
	for _, n := range t.nodes {
		if !n.dead {
			continue
		}
		heir := n.parent
		for heir.dead {
			heir = heir.parent
		}
		// A parent that left the tree took its children's time along.
		if heir.seen == t.round {
			heir.debtNew += n.own + n.waited + n.debt
		}
	}
	t.total += t.root.growth()
	kept := t.nodes[:0]
	for _, n := range t.nodes {
		switch {
		case n.dead:
		case n.seen != t.round:
			k.close(&n.handle)
			delete(t.byPID, n.handle.pid)
		default:
			t.total += n.dOwn + n.growth()
			if !n.zombie {
				t.living++
				t.resident += n.resident
			}
			kept = append(kept, n)
		}
	}
	clear(t.nodes[len(kept):])
	t.nodes = kept
}

// close lets go of all descendants; the root is the caller's.
func (t *tree) close(k kernel) {
	for _, n := range t.nodes {
		k.close(&n.handle)
	}
	t.nodes, t.byPID, t.queue = nil, nil, nil
}

// note takes in what was read of n.
func (n *node) note(s *stat) {
	own := s.user + s.system
	n.dOwn, n.own = grown(n.own, own)
	n.dWaited, n.waited = grown(n.waited, s.waited)
	n.resident = s.residentMemory
	n.zombie = s.dead()
}

// growth is how much of waited is new and not counted before.
func (n *node) growth() uint64 {
	g := n.dWaited
	g -= min(g, n.debt)
	paid := min(g, n.debtNew)
	n.debt, n.debtNew = n.debtNew-paid, 0
	return g - paid
}

// grown returns by how much a counter grew and its new value; one that falls
// stays.
func grown(from, to uint64) (growth, value uint64) {
	if to <= from {
		return 0, from
	}
	return to - from, to
}
