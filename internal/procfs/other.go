//go:build !linux

package procfs

// New returns the Source of this system: on Linux a reader of /proc,
// elsewhere gopsutil.
func New(o Options) (Source, error) { return NewGopsutil(o) }
