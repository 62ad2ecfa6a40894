//go:build !linux

package discovery

import (
	"context"
	"errors"
	"net"
)

var errLinuxOnly = errors.New("PM2 daemons can be found and proven on Linux only")

// Dial is for Linux only; here it always fails.
func Dial(context.Context, Candidate, Policy) (rpc, pub net.Conn, peer Peer, err error) {
	return nil, nil, Peer{}, &Error{Kind: ErrRefused, Msg: "no way to tell who listens on a socket", Err: errLinuxOnly}
}

func inspect(Candidate, Policy) (identity, error) {
	return identity{uid: -1}, &Error{Kind: ErrRefused, Msg: "no way to tell who owns a socket", Err: errLinuxOnly}
}

func ownerOf(Candidate) int { return -1 }
