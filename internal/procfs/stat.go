package procfs

import (
	"bytes"
	"errors"
)

// stat is what one read tells of a process. Times are in ticks on Linux, in
// microseconds elsewhere.
type stat struct {
	ppid           int
	state          byte
	user, system   uint64
	waited         uint64 // CPU of children that it has waited for, and of theirs
	threads        int
	start          uint64
	residentMemory uint64 // pages on Linux, bytes elsewhere
}

// dead tells a zombie. The main thread of a living process may be one too,
// while its other threads run on.
func (s *stat) dead() bool {
	return (s.state == 'Z' || s.state == 'X' || s.state == 'x') && s.threads <= 1
}

var errMalformedStat = errors.New("malformed stat")

// parseStat decodes a line of /proc/<pid>/stat. The name of the program, in
// parentheses, may hold anything, also spaces, newlines and parentheses: what
// counts is the last one that closes.
func parseStat(b []byte, s *stat) error {
	end := bytes.LastIndexByte(b, ')')
	if end < 0 || len(b) < end+4 || b[end+1] != ' ' || b[end+3] != ' ' {
		return errMalformedStat
	}
	s.state = b[end+2]
	s.waited = 0
	b = b[end+4:]
	// Fields are numbered as in proc(5); the state was the third.
	for field := 4; field <= 24; field++ {
		negative := len(b) > 0 && b[0] == '-'
		if negative {
			b = b[1:]
		}
		var v uint64
		n := 0
		for n < len(b) && b[n] >= '0' && b[n] <= '9' {
			d := uint64(b[n] - '0')
			if v > (1<<64-1-d)/10 {
				return errMalformedStat
			}
			v = v*10 + d
			n++
		}
		if n == 0 || (n < len(b) && b[n] != ' ' && b[n] != '\n') {
			return errMalformedStat
		}
		if b = b[n:]; len(b) > 0 {
			b = b[1:]
		}
		if negative {
			// Only fields that are of no use here are ever negative, and
			// the children's times for a moment on old kernels.
			v = 0
		}
		switch field {
		case 4:
			if v > maxPID {
				return errMalformedStat
			}
			s.ppid = int(v)
		case 14:
			s.user = v
		case 15:
			s.system = v
		case 16, 17:
			s.waited += v
		case 20:
			if v > maxPID {
				return errMalformedStat
			}
			s.threads = int(v)
		case 22:
			s.start = v
		case 24:
			s.residentMemory = v
		}
	}
	return nil
}

// maxPID is the largest number that fits; int may have 32 bits.
const maxPID = 1 << 30

// parsePIDs appends the numbers in b, which are parted by anything else.
func parsePIDs(dst []int, b []byte) []int {
	v, in := 0, false
	for _, c := range b {
		if c >= '0' && c <= '9' {
			// One that is too large stays so.
			v, in = min(v*10+int(c-'0'), maxPID+1), true
			continue
		}
		if in && v > 0 && v <= maxPID {
			dst = append(dst, v)
		}
		v, in = 0, false
	}
	if in && v > 0 && v <= maxPID {
		dst = append(dst, v)
	}
	return dst
}
