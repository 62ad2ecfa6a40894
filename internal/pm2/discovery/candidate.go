package discovery

import "path"

// Candidate is one PM2 home that was found, named or remembered.
type Candidate struct {
	Home       string // path as the daemon sees it, without a trailing slash
	Root       string // "" or "/proc/<pid>/root" when it lies in another mount namespace
	Container  string // what names that namespace in the label; "" for our own
	Label      string // unique and stable value of the `daemon` label
	Configured bool   // named with --pm2.home
	Listening  bool   // a listener was seen in this pass; where sockets cannot be seen, false
	OwnerUID   int    // -1 when not known
	OwnerName  string
	Refused    error // found, but may not or must not be dialed: why, and the fix
}

const (
	rpcSock = "rpc.sock"
	pubSock = "pub.sock"
)

// RPCPath is the path of rpc.sock as this process sees it. It may be too long for
// connect(2); Dial gets around that.
func (c Candidate) RPCPath() string { return c.Path(rpcSock) }

// PubPath is the path of pub.sock as this process sees it.
func (c Candidate) PubPath() string { return c.Path(pubSock) }

// LogPath is the path of PM2's own log as this process sees it.
func (c Candidate) LogPath() string { return c.Path("pm2.log") }

// Path is the path of a file of the home as this process sees it. Open it with
// package safefile: safefile.Open(c.Root, path.Join(c.Home, name), …).
func (c Candidate) Path(name string) string { return c.Root + path.Join(c.Home, name) }
