package procfs

import "golang.org/x/sys/unix"

// mountChanges asks the kernel for changes of the mounts that this process
// sees: its list of them is ready for urgent data after each.
type mountChanges struct{ fd int }

// newMountChanges stays open as long as the program runs.
func newMountChanges() mountChanges {
	fd, err := unix.Open("/proc/self/mountinfo", openFlags, 0)
	if err != nil {
		fd = -1
	}
	return mountChanges{fd}
}

// any is true if there was a change since it was last called, or that can not
// be told.
func (c mountChanges) any() bool {
	if c.fd < 0 {
		return true
	}
	n, err := unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLPRI}}, 0)
	return err != nil || n != 0
}
