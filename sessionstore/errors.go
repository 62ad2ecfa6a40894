package sessionstore

import "errors"

// Errors that callers tell apart.
var (
	ErrNotFound   = errors.New("there is none")
	ErrExists     = errors.New("there is one already")
	ErrToken      = errors.New("unknown, revoked or expired token")
	ErrFull       = errors.New("the disk of the store is full")
	ErrOverloaded = errors.New("too many writes wait for the disk")
	ErrNewer      = errors.New("written by a newer version")
)
