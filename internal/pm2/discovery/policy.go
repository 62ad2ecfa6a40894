package discovery

import "slices"

// Policy says whose daemons may be dialed and where their processes are looked up.
type Policy struct {
	ProcRoot string // where procfs is mounted; "" means /proc
	// Restrict allows only root, the owners of configured homes, and UIDs. It is for
	// agents that run as root, whom the permissions of the sockets do not hold back.
	Restrict bool
	UIDs     []int
}

func (p Policy) allows(c Candidate, uid int) bool {
	return !p.Restrict || uid == 0 || c.Configured || slices.Contains(p.UIDs, uid)
}

func (p Policy) procRoot() string {
	if p.ProcRoot == "" {
		return "/proc"
	}
	return p.ProcRoot
}
