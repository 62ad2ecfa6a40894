// Package peercred asks the kernel who is at the other end of a Unix socket.
// The answer is that of the moment at which the socket was connected or began to
// listen; a pid of 0 is one in a namespace that can not be seen from here.
package peercred

// Cred is a process and its user.
type Cred struct{ PID, UID, GID int }
