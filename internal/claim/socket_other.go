//go:build !linux

package claim

import (
	"context"
	"errors"
	"net"

	"github.com/pm25/pm25/internal/pm2/discovery"
)

// Listen is not to be had here: abstract sockets are Linux's.
func Listen(discovery.Candidate) (net.Listener, error) { return nil, errors.ErrUnsupported }

// Dial finds nobody.
func Dial(context.Context, discovery.Candidate) (net.Conn, int, error) {
	return nil, 0, errors.ErrUnsupported
}
