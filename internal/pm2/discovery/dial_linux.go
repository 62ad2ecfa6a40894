package discovery

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/peercred"
	"github.com/pm25/pm25/internal/safefile"
)

// Dial connects to a candidate's pub.sock and then its rpc.sock and proves that both
// belong to the PM2 daemon of that home. Nothing is written to either. On an error
// both are closed.
func Dial(ctx context.Context, c Candidate, policy Policy) (rpc, pub net.Conn, peer Peer, err error) {
	h, err := openHome(c, policy)
	if err != nil {
		return nil, nil, Peer{}, err
	}
	defer h.Close()
	defer func() {
		if err != nil {
			for _, conn := range []net.Conn{pub, rpc} {
				if conn != nil {
					conn.Close()
				}
			}
			rpc, pub = nil, nil
		}
	}()
	var pubCred, rpcCred peercred.Cred
	if pub, pubCred, err = h.connect(ctx, h.pub, pubSock); err != nil {
		return rpc, pub, Peer{}, err
	}
	if rpc, rpcCred, err = h.connect(ctx, h.rpc, rpcSock); err != nil {
		return rpc, pub, Peer{}, err
	}
	if pubCred != rpcCred {
		return rpc, pub, Peer{}, foreign(ReasonPeerMismatch,
			"%s and %s are not of one daemon: pid %d of uid %d and pid %d of uid %d listen there",
			c.RPCPath(), pubSock, rpcCred.PID, rpcCred.UID, pubCred.PID, pubCred.UID)
	}
	peer = Peer{PID: rpcCred.PID, UID: rpcCred.UID, GID: rpcCred.GID}
	if peer.UID != h.uid {
		return rpc, pub, peer, foreign(ReasonWrongOwner,
			"%s is listened on by uid %d, but its folder belongs to %s: start PM2 as the owner of its home, or give that user the folder (chown -R)",
			c.RPCPath(), peer.UID, h.owner())
	}
	peer, err = h.prove(peer)
	return rpc, pub, peer, err
}

// home is an opened PM2 home with handles on its sockets. All later steps go by the
// handles, so that nothing can be swapped in between.
type home struct {
	c        Candidate
	policy   Policy
	dir      *os.File
	rpc, pub *os.File
	uid      int
	id       identity
}

func (h *home) Close() {
	for _, f := range []*os.File{h.dir, h.rpc, h.pub} {
		if f != nil {
			f.Close()
		}
	}
}

func (h *home) owner() string { return ownerText(h.c, h.uid) }

// openHome does all checks that need no connection.
func openHome(c Candidate, policy Policy) (*home, error) {
	if c.Container != "" && c.Root == "" {
		return nil, &Error{Kind: ErrNotRunning, Msg: fmt.Sprintf("no PM2 daemon is listening at %s of container %s: no process of that container is in sight", c.RPCPath(), c.Container)}
	}
	h := &home{c: c, policy: policy, uid: -1}
	if err := h.open(); err != nil {
		h.Close()
		return nil, err
	}
	return h, nil
}

func (h *home) open() (err error) {
	c := h.c
	if h.dir, err = safefile.Dir(c.Root, c.Home); err != nil {
		return h.dirError(err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(h.dir.Fd()), &st); err != nil {
		return fmt.Errorf("stat %s: %w", c.Path(""), err)
	}
	h.uid = int(st.Uid)
	if !h.policy.allows(c, h.uid) {
		return &Error{Kind: ErrNotAllowed, Msg: fmt.Sprintf(
			"will not connect to %s as root: it belongs to %s; allow that user with --pm2.user=%s, name the home with --pm2.home, or run the agent as that user",
			c.RPCPath(), h.owner(), userArg(c, h.uid))}
	}
	if h.rpc, err = h.socket(rpcSock); err != nil {
		return err
	}
	h.pub, err = h.socket(pubSock)
	if errors.Is(err, ErrNotRunning) {
		return foreign(ReasonNoPubSocket, "%s has no %s beside it, so it is not PM2's; a daemon that is just starting or stopping has both within seconds", c.RPCPath(), pubSock)
	}
	return err
}

// socket gets a handle on a socket of the home. A symlink is not followed.
func (h *home) socket(name string) (*os.File, error) {
	var fd int
	var err error
	for {
		fd, err = unix.Openat(int(h.dir.Fd()), name, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, h.sysError(name, err)
	}
	f := os.NewFile(uintptr(fd), name)
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT != unix.S_IFSOCK {
		err = foreign(ReasonNotSocket, "%s is not a socket; remove it if PM2 does not start because of it", h.c.Path(name))
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	if name == rpcSock {
		//nolint:unconvert // Dev has 32 bits on MIPS
		h.id = identity{dev: uint64(st.Dev), ino: st.Ino, uid: h.uid}
	}
	return f, nil
}

// connect goes through our own handle: exact, and as short as the 108 bytes of a
// socket address need it, however long the path is.
func (h *home) connect(ctx context.Context, sock *os.File, name string) (net.Conn, peercred.Cred, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", fmt.Sprintf("/proc/self/fd/%d", sock.Fd()))
	if err != nil {
		return nil, peercred.Cred{}, h.sysError(name, err)
	}
	cred, err := peercred.Of(conn)
	if err != nil {
		conn.Close()
		return nil, peercred.Cred{}, fmt.Errorf("ask who listens on %s: %w", h.c.Path(name), err)
	}
	return conn, cred, nil
}

// prove finds out whether the peer is the PM2 daemon of this home.
func (h *home) prove(peer Peer) (Peer, error) {
	rpcPath := h.c.RPCPath()
	var proc process
	err := fs.ErrNotExist
	if peer.PID > 0 {
		proc, err = readProcess(h.policy.procRoot(), peer.PID)
	}
	if err != nil {
		// Another pid namespace, or a /proc mounted with hidepid.
		peer.PID = 0
		return peer, h.proveUnseen(rpcPath)
	}
	peer.StartTicks = proc.startTicks
	peer.Title = title(proc.cmdline)
	peer.Zone = zoneOf(proc.environ, fmt.Sprintf("%s/%d/root", h.policy.procRoot(), peer.PID))
	p := recognize(proc.cmdline)
	if !p.pm2 {
		p = recognizeEnv(proc.environ, strings.TrimRight(string(proc.cmdline), "\x00"))
	}
	if !p.pm2 {
		return peer, foreign(ReasonNotPM2, "%s is listened on by pid %d (%s), which is not PM2", rpcPath, peer.PID, programName(proc.cmdline))
	}
	if !h.named(p) {
		return peer, foreign(ReasonWrongHome, "%s is listened on by pid %d, the PM2 daemon of another home (%s)", rpcPath, peer.PID, printable(p.home))
	}
	return peer, nil
}

// proveUnseen: without a look at the process only the operator's word makes it PM2,
// and the pid file that PM2 puts beside its sockets.
func (h *home) proveUnseen(rpcPath string) error {
	if !h.c.Configured {
		return foreign(ReasonUnseenPeer, "the process that listens on %s is out of sight, so it cannot be told whether it is PM2: share the pid namespace, or name the home with --pm2.home", rpcPath)
	}
	var st unix.Stat_t
	err := unix.Fstatat(int(h.dir.Fd()), "pm2.pid", &st, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil || st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != h.uid {
		return foreign(ReasonNotPM2, "the process that listens on %s is out of sight and there is no pm2.pid of %s beside it, so it is not PM2", rpcPath, h.owner())
	}
	return nil
}

// named says whether the title, if it names a home, names this one.
func (h *home) named(p proof) bool {
	if p.home == "" {
		return true
	}
	if p.cut {
		return strings.HasPrefix(h.c.Home, p.home) || strings.HasPrefix(p.home, h.c.Home+"/")
	}
	if path.Clean(p.home) == h.c.Home {
		return true
	}
	// The same folder by another name, such as through a symlink.
	dir, err := safefile.Dir(h.c.Root, p.home+"/.")
	if err != nil {
		return false
	}
	defer dir.Close()
	a, errA := dir.Stat()
	b, errB := h.dir.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// inspect does all that can be done without connecting: it identifies the socket and
// says whether a connection would be refused.
func inspect(c Candidate, policy Policy) (identity, error) {
	h, err := openHome(c, policy)
	if err != nil {
		id := identity{uid: -1}
		if errors.Is(err, ErrNotAllowed) {
			id.uid = ownerOf(c)
		}
		return id, err
	}
	defer h.Close()
	for _, s := range []*os.File{h.pub, h.rpc} {
		err := unix.Faccessat(unix.AT_FDCWD, fmt.Sprintf("/proc/self/fd/%d", s.Fd()), unix.W_OK, unix.AT_EACCESS)
		if errors.Is(err, unix.EACCES) {
			return h.id, h.sysError(path.Base(s.Name()), err)
		}
	}
	return h.id, nil
}

// ownerOf is the owner of a home, or of the nearest folder above that shows one.
func ownerOf(c Candidate) int {
	for p := c.Home; ; p = path.Dir(p) {
		dir, err := safefile.Dir(c.Root, p)
		if err == nil {
			info, err := dir.Stat()
			dir.Close()
			if uid, ok := safefile.UID(info); err == nil && ok {
				return uid
			}
		}
		if p == "/" || p == "." {
			return -1
		}
	}
}
