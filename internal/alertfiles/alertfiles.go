// Package alertfiles reads the two files in which an operator says who is told of
// alerts (--alert.receivers-file) and whose apps they are (--alert.owners-file),
// for `pm25 up` and `pm25 server` alike.
//
// What it returns is checked as a whole: names that owners use are there. Files
// with secrets that others may read are warned of; what is in them is not looked
// at.
package alertfiles

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pm25/pm25/rules/routing"
)

// maxSize bounds a file, in bytes.
const maxSize = 1 << 20

// Files are the values of the flags. Empty ones are not there.
type Files struct {
	Receivers string // --alert.receivers-file
	Owners    string // --alert.owners-file
}

// Validate tells of flags that mean nothing together.
func (f Files) Validate() error {
	if f.Receivers == "" && f.Owners != "" {
		return errors.New("--alert.owners-file needs --alert.receivers-file, which says how the receivers that it names are reached")
	}
	return nil
}

// Load reads both. Without files nobody is told.
func (f Files) Load(logger *slog.Logger) (receivers routing.Receivers, owners routing.Owners, err error) {
	if err := f.Validate(); err != nil || f.Receivers == "" {
		return receivers, nil, err
	}
	data, err := read(f.Receivers)
	if err != nil {
		return receivers, nil, fmt.Errorf("--alert.receivers-file: %w", err)
	}
	if receivers, err = routing.ParseReceivers(data); err != nil {
		return receivers, nil, fmt.Errorf("--alert.receivers-file: %s: %w", f.Receivers, err)
	}
	receivers = receivers.In(filepath.Dir(f.Receivers))
	if f.Owners != "" {
		if data, err = read(f.Owners); err != nil {
			return receivers, nil, fmt.Errorf("--alert.owners-file: %w", err)
		}
		if owners, err = routing.ParseOwners(data); err != nil {
			return receivers, nil, fmt.Errorf("--alert.owners-file: %s: %w", f.Owners, err)
		}
	}
	if err := routing.Check(receivers, owners); err != nil {
		return receivers, nil, fmt.Errorf("--alert.receivers-file and --alert.owners-file: %w", err)
	}
	warn(receivers, logger)
	return receivers, owners, nil
}

func read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err == nil && len(data) > maxSize {
		err = fmt.Errorf("%s: it has more than %d bytes", path, maxSize)
	}
	return data, err
}

// warn tells of secrets that others may read.
func warn(receivers routing.Receivers, logger *slog.Logger) {
	for _, file := range receivers.Files() {
		info, err := os.Stat(file)
		switch {
		case err != nil:
			logger.Warn("A file that a receiver needs can not be read", "file", file)
		case info.Mode().Perm()&0o077 != 0:
			logger.Warn("Others can read a file with a receiver's secret: chmod 600", "file", file)
		}
	}
}
