//go:build !linux

package peercred

import (
	"errors"
	"net"
)

// Of is not to be had here.
func Of(net.Conn) (Cred, error) { return Cred{}, errors.ErrUnsupported }
