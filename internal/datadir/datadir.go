// Package datadir is the one folder in which a program keeps all that it keeps:
// its version, and a lock so that one process at a time has it.
package datadir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

const (
	formatName    = "pm25 data"
	formatVersion = 1
)

// Dir is the folder of a `pm25 up` or `pm25 server`: records, time series, what
// Alertmanager remembers, the agent's state. One process at a time has it.
type Dir struct {
	path string
	lock *os.File
}

// Open makes or takes the folder. It changes nothing in a folder that is not
// ours, of a newer version, or in use.
func Open(path string) (*Dir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w; name another one with --data.dir", err)
	}
	found, err := readVersion(path)
	if err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w; name another one with --data.dir", err)
	}
	d := &Dir{path: path, lock: lock}
	if err := d.take(found); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

func (d *Dir) take(found bool) error {
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder := make([]byte, 32)
		n, _ := d.lock.ReadAt(holder, 0)
		by := "another pm25"
		if pid := strings.TrimSpace(string(holder[:n])); pid != "" {
			by += " (pid " + pid + ")"
		}
		return fmt.Errorf("data folder %s is in use by %s: stop that one, or name another folder with --data.dir", d.path, by)
	}
	if !found {
		line := fmt.Sprintf("%s %d\n", formatName, formatVersion)
		file := filepath.Join(d.path, "version")
		err := os.WriteFile(file+".tmp", []byte(line), 0o600)
		if err == nil {
			err = os.Rename(file+".tmp", file) // whole or not at all
		}
		if err != nil {
			return fmt.Errorf("data folder: %w", err)
		}
	}
	// For who finds the folder taken; of no other use.
	if err := d.lock.Truncate(0); err == nil {
		_, _ = d.lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	}
	return nil
}

// readVersion tells whether the folder has a version of ours; a new folder has
// none and nothing else either.
func readVersion(path string) (found bool, err error) {
	file := filepath.Join(path, "version")
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return false, mustBeEmpty(path)
	}
	if err != nil {
		return false, fmt.Errorf("data folder: %w", err)
	}
	number, ok := strings.CutPrefix(strings.TrimSpace(string(data)), formatName+" ")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 {
		return false, fmt.Errorf("%s:1: %q is no version of a data folder (this program writes %q): name another folder with --data.dir, or put the file back", file, strings.TrimSpace(string(data)), fmt.Sprintf("%s %d", formatName, formatVersion))
	}
	if n != formatVersion {
		return false, fmt.Errorf("%s:1: data folder %s has version %d, this pm25 knows %d: run the pm25 that wrote it, or name another folder with --data.dir", file, path, n, formatVersion)
	}
	return true, nil
}

func mustBeEmpty(path string) error {
	entries, err := os.ReadDir(path)
	if err != nil {
		return fmt.Errorf("data folder: %w; name another one with --data.dir", err)
	}
	for _, e := range entries {
		if e.Name() != "lock" && e.Name() != "version.tmp" && e.Name() != "lost+found" {
			return fmt.Errorf("data folder %s holds %s and no file \"version\", so it is not one of pm25: name an empty or new folder with --data.dir", path, e.Name())
		}
	}
	return nil
}

// Path is the folder.
func (d *Dir) Path() string { return d.path }

// Sub is the path of something in it.
func (d *Dir) Sub(name string) string { return filepath.Join(d.path, name) }

// Close leaves the folder to others.
func (d *Dir) Close() { _ = d.lock.Close() }
