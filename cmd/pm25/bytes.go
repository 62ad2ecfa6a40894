package main

import (
	"strconv"

	"github.com/alecthomas/units"
)

// bytesFlag is a number of bytes, as 512MB or 1GiB: powers of 1024, as
// Prometheus takes them.
type bytesFlag int64

// Set reads the text of a flag.
func (b *bytesFlag) Set(text string) error {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*b = bytesFlag(n)
		return nil
	}
	n, err := units.ParseBase2Bytes(text)
	*b = bytesFlag(n)
	return err
}

// String writes it as Set reads it.
func (b *bytesFlag) String() string {
	if *b == 0 {
		return "0"
	}
	return units.Base2Bytes(*b).String()
}
