package discovery

import (
	"bufio"
	"fmt"
	"io"
	"os/user"
	"path"
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/safefile"
)

// hostUser is the name and home folder of a uid of this host, "" when there is none.
func hostUser(uid int) (name, home string) {
	u, err := user.LookupId(strconv.Itoa(uid))
	if err != nil {
		return "", ""
	}
	return u.Username, u.HomeDir
}

// resolveUser takes a user name or a uid.
func resolveUser(s string) (int, error) {
	if uid, err := strconv.Atoi(s); err == nil && uid >= 0 {
		return uid, nil
	}
	u, err := user.Lookup(s)
	if err != nil {
		return 0, fmt.Errorf("user %q: %w; give a user of this host, a uid, or * for all", s, err)
	}
	return strconv.Atoi(u.Uid)
}

// rootUser is hostUser for another mount namespace. hostUID is the uid as we see it;
// the user's own namespace may number differently.
func rootUser(procRoot, root, pid string, hostUID int) (name, home string) {
	inner, owner := hostUID, 0
	if m, err := readSmall(procRoot+"/"+pid+"/uid_map", 64<<10); err == nil {
		if in, ok := insideUID(string(m), hostUID); ok {
			inner = in
		}
		if out, ok := outsideUID(string(m), 0); ok {
			owner = out
		}
	}
	f, _, err := safefile.Open(root, "/etc/passwd", owner, 1<<20)
	if err != nil {
		return "", ""
	}
	defer f.Close()
	return lookupPasswd(f, inner)
}

func lookupPasswd(r io.Reader, uid int) (name, home string) {
	want := strconv.Itoa(uid)
	sc := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for sc.Scan() {
		f := strings.Split(sc.Text(), ":")
		if len(f) >= 6 && f[2] == want {
			return f[0], f[5]
		}
	}
	return "", ""
}

// insideUID and outsideUID translate by a uid_map: "inside outside count" a line.
func insideUID(uidMap string, outside int) (int, bool) {
	return mapUID(uidMap, outside, 1, 0)
}

func outsideUID(uidMap string, inside int) (int, bool) {
	return mapUID(uidMap, inside, 0, 1)
}

func mapUID(uidMap string, uid, from, to int) (int, bool) {
	for line := range strings.Lines(uidMap) {
		var v [3]int
		if n, err := fmt.Sscan(line, &v[0], &v[1], &v[2]); n != 3 || err != nil {
			continue
		}
		if uid >= v[from] && uid-v[from] < v[2] {
			return v[to] + uid - v[from], true
		}
	}
	return 0, false
}

// isDefaultHome says whether a home is the one that PM2 takes for a user by itself.
func isDefaultHome(home, userHome string) bool {
	return userHome != "" && home == path.Join(userHome, ".pm2")
}
