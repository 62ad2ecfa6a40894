package spool

import "github.com/pm25/pm25/internal/record"

// Unknown is the kind of records that can not be read any more.
const Unknown record.Kind = "unknown"

// kinds are the kinds by their number on disk: add at the end, change nothing.
var kinds = [...]record.Kind{
	Unknown, record.Exception, record.Exit, record.Start, record.Restart, record.Stop, record.Reload, record.Delete,
	record.Deploy, record.SlowRequest, record.Event, record.LogTail, record.GroupState,
}

// codeOf is a kind's number on disk.
func codeOf(k record.Kind) uint8 {
	for i, known := range kinds {
		if k == known {
			return uint8(i)
		}
	}
	return 0
}

// counts are numbers of records by kind.
type counts [len(kinds)]uint64

// add counts n of a kind. One that this version does not know is Unknown.
func (c *counts) add(code uint8, n uint64) {
	if int(code) >= len(c) {
		code = 0
	}
	c[code] += n
}

func (c *counts) plus(other *counts) {
	for i, n := range other {
		c[i] += n
	}
}

// minus takes away, down to 0.
func (c *counts) minus(other *counts) {
	for i, n := range other {
		c[i] -= min(c[i], n)
	}
}

func (c *counts) sum() (total uint64) {
	for _, n := range c {
		total += n
	}
	return total
}

func (c *counts) byKind() map[record.Kind]uint64 {
	out := make(map[record.Kind]uint64, len(c))
	for i, n := range c {
		out[kinds[i]] = n
	}
	return out
}

func kindOf(code uint8) record.Kind {
	if int(code) >= len(kinds) {
		return Unknown
	}
	return kinds[code]
}
