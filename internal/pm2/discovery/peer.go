package discovery

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// Peer is the process that listens on a daemon's sockets.
type Peer struct {
	PID        int // 0 when it is in a pid namespace that we do not see
	UID, GID   int
	StartTicks uint64         // field 22 of /proc/<pid>/stat; with PID it names one process for good
	Title      string         // its command line, made printable and cut
	Zone       *time.Location // that its clock goes by; nil where that can not be told
}

// process is what /proc tells about a peer.
type process struct {
	startTicks uint64
	cmdline    []byte
	environ    []byte // nil where we may not look
}

func readProcess(procRoot string, pid int) (process, error) {
	dir := procRoot + "/" + strconv.Itoa(pid) + "/"
	var p process
	stat, err := readSmall(dir+"stat", 4096)
	if err != nil {
		return p, err
	}
	if p.startTicks, err = startTicks(stat); err != nil {
		return p, fmt.Errorf("%sstat: %w", dir, err)
	}
	if p.cmdline, err = readSmall(dir+"cmdline", 64<<10); err != nil {
		return p, err
	}
	// Needed for daemons with a title of their own, and for the time zone; not to
	// be had for other users'.
	p.environ, _ = readSmall(dir+"environ", 256<<10)
	return p, nil
}

func startTicks(stat []byte) (uint64, error) {
	// The name in field 2 may hold anything, also ") ".
	i := bytes.LastIndexByte(stat, ')')
	f := bytes.Fields(stat[i+1:])
	if i < 0 || len(f) < 20 {
		return 0, fmt.Errorf("unexpected format")
	}
	return strconv.ParseUint(string(f[19]), 10, 64)
}

func readSmall(name string, limit int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}
