//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: needs Linux, whose /proc counts CPU time in nanoseconds")
	os.Exit(1)
}
