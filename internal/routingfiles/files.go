// Package routingfiles reads the files in which an operator says who is told of
// alerts: that of receivers, that of owners, and those with secrets that the
// first one names. Package routing says what is in them.
//
// It reads secrets only to see that there are any, and keeps none.
package routingfiles

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pm25/pm25/rules/routing"
	"github.com/pm25/pm25/rules/strictyaml"
)

// Names are those of the files, as two flags of that name say them.
type Names struct {
	Receivers string // --alert.receivers-file; "": none
	Owners    string // --alert.owners-file; "": none
}

// Validate reports names that do not go together.
func (n Names) Validate() error {
	if n.Owners != "" && n.Receivers == "" {
		return errors.New("--alert.owners-file needs --alert.receivers-file: owners name receivers of it")
	}
	return nil
}

// Files is one reading of them, checked. Paths in it are absolute, or relative to
// the working directory.
type Files struct {
	Receivers routing.Receivers
	Owners    routing.Owners
	// Warnings say which secrets others can read, one a line.
	Warnings []string
}

// Read reads and checks all files. Errors name the flag, the file, where in it
// what is wrong, and how to mend it; they hold no secret.
func Read(names Names) (Files, error) {
	f, err := Parse(names)
	if err != nil {
		return Files{}, err
	}
	f.Receivers = f.Receivers.In(filepath.Dir(names.Receivers))
	if err := f.checkSecrets(); err != nil {
		return Files{}, strictyaml.In("--alert.receivers-file", names.Receivers, err)
	}
	return f, nil
}

// Parse reads the two files as Read does, but not the secrets, which may be on
// another machine. Paths in it are as they are written.
func Parse(names Names) (Files, error) {
	if err := names.Validate(); err != nil {
		return Files{}, err
	}
	var f Files
	data, err := read(names.Receivers)
	if err == nil {
		f.Receivers, err = routing.ParseReceivers(data)
	}
	if err != nil {
		return Files{}, strictyaml.In("--alert.receivers-file", names.Receivers, err)
	}
	if names.Owners == "" {
		return f, nil
	}
	if data, err = read(names.Owners); err == nil {
		f.Owners, err = routing.ParseOwners(data)
	}
	if err == nil {
		err = routing.Check(f.Receivers, f.Owners)
	}
	if err != nil {
		return Files{}, strictyaml.In("--alert.owners-file", names.Owners, err)
	}
	return f, nil
}

func read(name string) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, strictyaml.MaxFile+1)) // what is too long is told by who parses it
	if err != nil {
		return nil, err
	}
	return data, nil
}

// checkSecrets holds that each secret is there: else the first alert would find
// out that it is not.
func (f *Files) checkSecrets() error {
	var errs []error
	for _, name := range f.Receivers.Files() {
		info, err := os.Stat(name)
		var data []byte
		switch {
		case err != nil:
		case !info.Mode().IsRegular():
			err = errors.New("it is no regular file")
		default:
			data, err = read(name)
		}
		if err == nil && strings.TrimSpace(string(data)) == "" {
			err = errors.New("it is empty")
		}
		if inner, ok := errors.AsType[*os.PathError](err); ok {
			err = inner.Err
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("secret in %s: %w; write the URL, key or password into it", name, err))
			continue
		}
		if info.Mode().Perm()&0o077 != 0 {
			f.Warnings = append(f.Warnings, fmt.Sprintf("%s holds a secret and others can read it: chmod 600 %[1]s", name))
		}
	}
	return errors.Join(errs...)
}
