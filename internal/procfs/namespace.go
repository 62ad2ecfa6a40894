package procfs

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
)

// maxStatus bounds what is read of /proc/<pid>/status.
const maxStatus = 64 << 10

// SharesPIDNamespace tells whether a process' own view of process numbers is
// that of procRoot. Where there are no such namespaces it is.
func SharesPIDNamespace(procRoot string, pid int) (bool, error) {
	if runtime.GOOS != "linux" {
		return true, nil
	}
	ids, err := namespacePIDs(procRoot, pid, nil)
	if err != nil {
		return false, err
	}
	return len(ids) <= 1, nil
}

// HostPIDs translates process numbers as the daemon sees them to those of
// procRoot, when the daemon lives in a process namespace below (a container).
// Only descendants of the daemon are looked at, and those that are not found
// are not in the map. If the daemon shares our namespace each number is its
// own translation.
//
// It walks over all processes of the host, so call it when the numbers have
// changed and not at each scrape.
func HostPIDs(procRoot string, daemonPID int, nsPIDs []int) (map[int]int, error) {
	hostPIDs := make(map[int]int, len(nsPIDs))
	var level int // how deep the daemon's namespace lies below procRoot's
	if runtime.GOOS == "linux" {
		ids, err := namespacePIDs(procRoot, daemonPID, nil)
		if err != nil {
			return nil, err
		}
		level = len(ids) - 1
	}
	if level <= 0 {
		for _, pid := range nsPIDs {
			hostPIDs[pid] = pid
		}
		return hostPIDs, nil
	}
	wanted := make(map[int]bool, len(nsPIDs))
	for _, pid := range nsPIDs {
		wanted[pid] = true
	}
	kids, err := childrenOfAll(procRoot)
	if err != nil {
		return nil, err
	}
	var ids []int
	seen := map[int]bool{daemonPID: true}
	for queue := []int{daemonPID}; len(queue) > 0; queue = queue[1:] {
		pid := queue[0]
		// One that has gone meanwhile is just not found.
		if ids, err = namespacePIDs(procRoot, pid, ids[:0]); err == nil && len(ids) > level && wanted[ids[level]] {
			hostPIDs[ids[level]] = pid
		}
		for _, kid := range kids[pid] {
			if !seen[kid] {
				seen[kid] = true
				queue = append(queue, kid)
			}
		}
	}
	return hostPIDs, nil
}

// namespacePIDs returns a process' numbers, from the namespace of procRoot
// inwards. Kernels before 4.1 do not tell; then it is the one given.
func namespacePIDs(procRoot string, pid int, dst []int) ([]int, error) {
	name := filepath.Join(procRoot, strconv.Itoa(pid), "status")
	b, err := readBounded(name, maxStatus)
	if err != nil {
		if isNotExist(err) {
			return nil, gone(pid)
		}
		return nil, fmt.Errorf("read the namespaces of process %d: %w", pid, err)
	}
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte("NSpid:")); ok {
			if dst = parsePIDs(dst, rest); len(dst) == 0 {
				return nil, fmt.Errorf("malformed NSpid in %s", name)
			}
			return dst, nil
		}
	}
	return append(dst, pid), nil
}

// childrenOfAll maps each process of the host to its children.
func childrenOfAll(procRoot string) (map[int][]int, error) {
	dir, err := os.Open(procRoot)
	if err != nil {
		return nil, fmt.Errorf("list processes: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list processes in %s: %w", procRoot, err)
	}
	kids := make(map[int][]int)
	var s stat
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil || pid <= 0 {
			continue
		}
		b, err := readBounded(filepath.Join(procRoot, name, "stat"), maxStatus)
		if err == nil && parseStat(b, &s) == nil {
			kids[s.ppid] = append(kids[s.ppid], pid)
		}
	}
	return kids, nil
}
