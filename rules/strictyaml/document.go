package strictyaml

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
)

const maxErrors = 10 // that are told at once

// Document is one reading of a file. It knows the line of each key, and collects
// what is wrong. The zero value knows no lines.
type Document struct {
	lines  map[string]int // by the path to a key
	checks []TextCheck
	errs   []error
}

// Wrong notes that the value at a path, such as "receivers.ops.email.to[0]", is
// wrong, and how to mend it.
func (d *Document) Wrong(path, format string, args ...any) {
	err := fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
	if d.lines != nil {
		err = fmt.Errorf("line %d: %w", d.lineOf(path), err)
	}
	d.Add(err)
}

// Add notes what is wrong with no single value.
func (d *Document) Add(err error) { d.errs = append(d.errs, err) }

// lineOf is the line of a path, or of what it would be in.
func (d *Document) lineOf(path string) int {
	for {
		if line := d.lines[path]; line > 0 {
			return line
		}
		i := strings.LastIndexAny(path, ".[")
		if i < 0 {
			return 1
		}
		path = path[:i]
	}
}

// Err is all that is wrong, one a line, or nil.
func (d *Document) Err() error {
	if len(d.errs) <= maxErrors {
		return errors.Join(d.errs...)
	}
	return errors.Join(append(slices.Clone(d.errs[:maxErrors]), fmt.Errorf("and %d more", len(d.errs)-maxErrors))...)
}

// In puts the flag that named a file, and the file, before each line of an error
// about it.
func In(flag, file string, err error) error {
	prefix := flag + " " + file + ": "
	if inner, ok := errors.AsType[*os.PathError](err); ok && inner.Path == file {
		return fmt.Errorf("%s%w", prefix, inner.Err)
	}
	return errors.New(prefix + strings.ReplaceAll(err.Error(), "\n", "\n"+prefix))
}
