package main

import (
	"fmt"
	"strconv"

	"github.com/alecthomas/units"
)

// bytesFlag is a number of bytes, as 512MB or 1GiB: powers of 1024, as
// Prometheus takes them.
type bytesFlag struct {
	name  string // of the flag, for errors
	bytes int64
}

// Set reads the text of a flag.
func (b *bytesFlag) Set(text string) error {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		b.bytes = n
		return nil
	}
	n, err := units.ParseBase2Bytes(text)
	if err != nil {
		return fmt.Errorf("--%s=%s: write it as 512MB or 5GiB", b.name, text)
	}
	b.bytes = int64(n)
	return nil
}

// String writes it as Set reads it.
func (b *bytesFlag) String() string {
	if b.bytes == 0 {
		return "0"
	}
	return units.Base2Bytes(b.bytes).String()
}
