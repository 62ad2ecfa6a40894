//go:build !linux

package proctest

import "syscall"

// ownGroup keeps a Ctrl-C in the terminal from the program.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
