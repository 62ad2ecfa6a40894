package discovery

import (
	"bufio"
	"io"
	"path"
	"strings"
)

const (
	// The table is read no further than this, whatever is in it.
	maxTableBytes = 32 << 20
	// Homes taken from one table. More than this is no host but an attack.
	maxTableHomes = 4096
)

// listener is one home with listening sockets, as a table shows it.
type listener struct {
	home string
	// rpc holds the socket inodes that listen on rpc.sock under this path. Several
	// when mount namespaces with the same path share a network namespace.
	rpc []string
	pub bool // pub.sock is listened on as well
}

// parseTable reads a /proc/<pid>/net/unix and returns the homes in the order of
// their first row. Paths that can be no home of PM2 go to bad.
func parseTable(r io.Reader, bad func(path string)) ([]listener, error) {
	var (
		list []listener
		at   = map[string]int{}
		pubs = map[string]bool{}
	)
	sc := bufio.NewScanner(io.LimitReader(r, maxTableBytes))
	sc.Buffer(make([]byte, 4096), 64<<10)
	for sc.Scan() {
		inode, p, ok := parseRow(sc.Text())
		if !ok {
			continue
		}
		dir, name := path.Split(p)
		if name != rpcSock && name != pubSock {
			continue
		}
		if !path.IsAbs(dir) || path.Join(dir, name) != p {
			if name == rpcSock {
				bad(p)
			}
			continue
		}
		home := path.Clean(dir)
		if name == pubSock {
			pubs[home] = true
			continue
		}
		i, ok := at[home]
		if !ok {
			if len(list) == maxTableHomes {
				continue
			}
			i = len(list)
			at[home] = i
			list = append(list, listener{home: home})
		}
		list[i].rpc = append(list[i].rpc, inode)
	}
	for i := range list {
		list[i].pub = pubs[list[i].home]
	}
	return list, sc.Err()
}

// parseRow takes the inode and path from the row of a listening socket:
//
//	Num RefCount Protocol Flags Type St Inode Path
//	0000000016e1d5c3: 00000002 00000000 00010000 0001 01 16738 /home/u/.pm2/rpc.sock
//
// A path may hold spaces; an abstract one begins with "@".
func parseRow(row string) (inode, p string, ok bool) {
	var f [7]string
	rest := row
	for i := range f {
		rest = strings.TrimLeft(rest, " ")
		if f[i], rest, ok = strings.Cut(rest, " "); !ok {
			return "", "", false // no path
		}
	}
	const accepting, stream, unconnected = "00010000", "0001", "01"
	if f[3] != accepting || f[4] != stream || f[5] != unconnected || strings.HasPrefix(rest, "@") {
		return "", "", false
	}
	return f[6], rest, true
}
