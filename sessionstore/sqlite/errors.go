package sqlite

import (
	"errors"
	"fmt"

	"modernc.org/sqlite"

	"github.com/pm25/pm25/sessionstore"
)

// Result codes of SQLite that mean that there is no room. The others are of
// the shared memory beside the file: it can not grow, or a page of it could
// not be given room when it was first written to.
const (
	codeFull    = 13
	codeShmSize = 10 | 19<<8
	codeInPage  = 10 | 34<<8

	codeBusy = 5 // another process writes, and does not end
)

// wrap gives errors of SQLite the values that callers tell apart.
func wrap(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() {
	case codeFull, codeShmSize, codeInPage:
		return fmt.Errorf("%w: %w", sessionstore.ErrFull, err)
	case codeBusy:
		return fmt.Errorf("%w: %w", sessionstore.ErrOverloaded, err)
	}
	return err
}
