package proctest

import "syscall"

// ownGroup keeps a Ctrl-C in the terminal from the program, and ends it with the
// test process, however that ends.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
