// Package discovery finds the PM2 daemons of this host and opens connections to
// those, and only those, that are proven to be PM2.
//
// It guarantees that
//
//   - it writes nothing, ever, to any socket;
//   - a connection is handed out only when rpc.sock and pub.sock lie beside each
//     other as sockets in one folder that is no symlink, both are listened on by one
//     process, the folder belongs to that process's uid, the process is recognizably
//     PM2, and, as root, the uid is one that the agent may work with;
//   - no path of another mount namespace is followed out of that namespace, and no
//     magic link of /proc but /proc/<pid>/root itself;
//   - a daemon that was seen once stays listed, with the same label, until it is
//     forgotten; labels are unique and do not depend on the order of finding;
//   - what it keeps is bounded, whatever sockets other users of the host make.
//
// It does not guarantee that a daemon answers, nor that a process which calls itself
// PM2 is one: a user can dress up a process of its own, and harms itself alone. When
// the peer's process cannot be seen (no shared pid namespace) a home has to be named
// in the configuration to count as PM2.
package discovery
