//go:build !linux

package extsock

import (
	"errors"
	"net"
)

var errUnsupported = errors.New("supported on Linux only")

func listen(Options) (net.Listener, func(), error) { return nil, nil, errUnsupported }
