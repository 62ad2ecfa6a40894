//go:build !unix

package safefile

import "io/fs"

// UID is the owner of a file; there is none here.
func UID(fs.FileInfo) (int, bool) { return -1, false }
