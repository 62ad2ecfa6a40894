package generate

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// list is the file that names the others, so that what is made no more is
// known.
const list = "generated.txt"

const listHead = "# Written by pm25 generate: the files that it wrote here, and removes when it makes them no more.\n"

// Write brings a folder up to date and returns the paths that it changed or
// removed. Each file is replaced as a whole.
func Write(folder string, files []File) (changed []string, err error) {
	root, err := openFolder(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	stale, gone, err := compare(root, files)
	if err != nil {
		return nil, err
	}
	for _, f := range withList(files) {
		if slices.Contains(stale, f.Path) {
			if err := replace(root, f); err != nil {
				return nil, fmt.Errorf("%s: %w", filepath.Join(folder, f.Path), err)
			}
		}
	}
	for _, p := range gone {
		if err := root.Remove(filepath.FromSlash(p)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is made no more: %w", filepath.Join(folder, p), err)
		}
	}
	changed = append(stale, gone...)
	slices.Sort(changed)
	return changed, nil
}

// Stale lists the paths that Write would change or remove. It changes nothing.
func Stale(folder string, files []File) ([]string, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	stale, gone, err := compare(root, files)
	stale = append(stale, gone...)
	slices.Sort(stale)
	return stale, err
}

func openFolder(folder string) (*os.Root, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	return os.OpenRoot(folder)
}

// compare finds the files that are missing or different, and those that were
// written once and are made no more.
func compare(root *os.Root, files []File) (stale, gone []string, err error) {
	made := map[string]bool{}
	for _, f := range withList(files) {
		made[f.Path] = true
		have, err := root.ReadFile(filepath.FromSlash(f.Path))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			stale = append(stale, f.Path)
		case err != nil:
			return nil, nil, err
		case !bytes.Equal(have, f.Text):
			stale = append(stale, f.Path)
		}
	}
	before, err := root.ReadFile(list)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	for line := range strings.Lines(string(before)) {
		p := strings.TrimSpace(line)
		if p == "" || strings.HasPrefix(p, "#") || made[p] || !local(p) {
			continue
		}
		if _, err := root.Lstat(filepath.FromSlash(p)); err == nil {
			gone = append(gone, p)
		}
	}
	return stale, gone, nil
}

// withList adds the list, last: what is on it is there.
func withList(files []File) []File {
	var b strings.Builder
	b.WriteString(listHead)
	for _, f := range files {
		b.WriteString(f.Path + "\n")
	}
	return append(slices.Clone(files), File{list, []byte(b.String())})
}

func replace(root *os.Root, f File) error {
	name := filepath.FromSlash(f.Path)
	if err := root.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	next := name + ".new"
	if err := root.WriteFile(next, f.Text, 0o644); err != nil {
		return err
	}
	return root.Rename(next, name)
}
