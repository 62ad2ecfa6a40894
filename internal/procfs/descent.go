package procfs

import (
	"os"
	"path/filepath"
	"strconv"
)

// maxDescent bounds the walk to the top of a process tree.
const maxDescent = 64

// Descends tells whether a process is another one or runs below it. On systems
// without /proc it is false.
func Descends(procRoot string, pid, ancestor int) bool {
	if procRoot == "" {
		procRoot = DefaultProcRoot
	}
	for range maxDescent {
		if pid <= 1 || ancestor <= 1 {
			return false
		}
		if pid == ancestor {
			return true
		}
		data, err := os.ReadFile(filepath.Join(procRoot, strconv.Itoa(pid), "stat"))
		if err != nil {
			return false
		}
		var st stat
		if parseStat(data, &st) != nil {
			return false
		}
		pid = st.ppid
	}
	return false
}
