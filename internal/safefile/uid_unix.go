//go:build unix

package safefile

import (
	"io/fs"
	"syscall"
)

// UID is the owner of a file.
func UID(info fs.FileInfo) (int, bool) {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return -1, false
	}
	return int(st.Uid), true
}
