package discovery

import (
	"os"
	"slices"
	"strconv"
)

// space is one pair of network and mount namespace and a process that is in it.
type space struct {
	net, mnt string // the namespaces as /proc names them: "net:[4026531840]"
	pid      string
}

const (
	maxPIDs   = 1024 // processes looked at in one pass, some 10 µs each
	maxSpaces = 256  // pairs kept
)

// spaceScanner finds the namespaces of the host, one process for each pair. Looking
// at a process costs two readlinks; on a host with very many, a pass goes on where
// the one before stopped.
type spaceScanner struct {
	procRoot string
	reps     map[[2]string]int // kept as long as the process stays there
	after    int               // the last pid of the pass before, 0 when it came to the end
}

// scan returns our own space and all others that we may look into, by pid.
func (s *spaceScanner) scan() (own space, others []space) {
	net, mnt := s.read("self")
	own = space{net: net, mnt: mnt, pid: "self"}
	if net == "" || mnt == "" {
		return own, nil
	}
	if s.reps == nil {
		s.reps = map[[2]string]int{}
	}
	for pair, pid := range s.reps {
		if net, mnt := s.read(strconv.Itoa(pid)); [2]string{net, mnt} != pair {
			delete(s.reps, pair)
		}
	}
	for _, pid := range s.next() {
		net, mnt := s.read(strconv.Itoa(pid))
		pair := [2]string{net, mnt}
		if net == "" || mnt == "" || (net == own.net && mnt == own.mnt) {
			continue
		}
		if _, ok := s.reps[pair]; !ok && len(s.reps) < maxSpaces {
			s.reps[pair] = pid
		}
	}
	pids := make(map[string]int, len(s.reps))
	for pair, pid := range s.reps {
		others = append(others, space{net: pair[0], mnt: pair[1], pid: strconv.Itoa(pid)})
		pids[others[len(others)-1].pid] = pid
	}
	slices.SortFunc(others, func(a, b space) int { return pids[a.pid] - pids[b.pid] })
	return own, others
}

// next are the processes to look at in this pass, in order.
func (s *spaceScanner) next() []int {
	d, err := os.Open(s.procRoot)
	if err != nil {
		return nil
	}
	defer d.Close()
	names, _ := d.Readdirnames(-1)
	var pids []int
	for _, n := range names {
		if pid, err := strconv.Atoi(n); err == nil && pid > s.after {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	s.after = 0
	if len(pids) > maxPIDs {
		pids = pids[:maxPIDs]
		s.after = pids[maxPIDs-1]
	}
	return pids
}

func (s *spaceScanner) read(pid string) (net, mnt string) {
	dir := s.procRoot + "/" + pid + "/ns/"
	net, err := os.Readlink(dir + "net")
	if err != nil {
		return "", "" // gone, or not ours to look at
	}
	mnt, _ = os.Readlink(dir + "mnt")
	return net, mnt
}
