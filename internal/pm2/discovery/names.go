package discovery

import (
	"io"
	"strings"

	"github.com/pm25/pm25/internal/safefile"
)

// nameCache keeps what users and containers are called: a pass every few seconds
// should not read user databases, which may be on a network.
type nameCache struct {
	procRoot   string
	users      map[userKey]userInfo
	containers map[string]string
}

type userKey struct {
	mount string
	uid   int
}

type userInfo struct{ name, home string }

const maxNames = 1024

// user is the name and home folder of a uid in the mount namespace of sp, or of the
// host when root is "".
func (n *nameCache) user(root string, sp space, uid int) (name, home string) {
	if uid < 0 {
		return "", ""
	}
	key := userKey{uid: uid}
	if root != "" {
		key.mount = sp.mnt
	}
	if u, ok := n.users[key]; ok {
		return u.name, u.home
	}
	var u userInfo
	if root == "" {
		u.name, u.home = hostUser(uid)
	} else {
		u.name, u.home = rootUser(n.procRoot, root, sp.pid, uid)
	}
	if n.users == nil || len(n.users) >= maxNames {
		n.users = map[userKey]userInfo{}
	}
	n.users[key] = u
	return u.name, u.home
}

// container is what a mount namespace is called: its host name, as the file for that
// says or, where that is missing, the process that we look through; else the number of
// its network namespace.
func (n *nameCache) container(root string, sp space) string {
	if name, ok := n.containers[sp.mnt]; ok {
		return name
	}
	name := hostnameFile(root, n.procRoot, sp.pid)
	if name == "" {
		name = "ns-" + strings.Trim(strings.TrimPrefix(sp.net, "net:"), "[]")
	}
	if n.containers == nil || len(n.containers) >= maxNames {
		n.containers = map[string]string{}
	}
	n.containers[sp.mnt] = name
	return name
}

func hostnameFile(root, procRoot, pid string) string {
	owner := 0
	if m, err := readSmall(procRoot+"/"+pid+"/uid_map", 64<<10); err == nil {
		if out, ok := outsideUID(string(m), 0); ok {
			owner = out
		}
	}
	f, _, err := safefile.Open(root, "/etc/hostname", owner, 4096)
	if err != nil {
		return ""
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 4096))
	if err != nil {
		return ""
	}
	line, _, _ := strings.Cut(strings.TrimSpace(string(data)), "\n")
	return head(printable(strings.TrimSpace(line)), 64)
}
