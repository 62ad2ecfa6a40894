package discovery

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

const (
	knownFormat  = "pm25 known daemons"
	knownVersion = 1
	maxKnownFile = 1 << 20
)

// knownDoc is the file's contents. Format and Version come first and are read first.
type knownDoc struct {
	Format  string  `json:"format"`
	Version int     `json:"version"`
	Daemons []entry `json:"daemons"`
}

var errTorn = errors.New("not readable as known daemons")

// knownFile is the memory of known daemons and its copy on disk. The file may be
// changed by `forget` at any time: each change takes a lock and starts from what the
// file holds then.
type knownFile struct {
	path    string // "" for memory only
	log     log.Logger
	entries []entry

	saved     []entry // the file's contents as last read or written
	stamp     stamp   // and how the file looked then
	complaint string
}

// stamp tells one version of a file from the next.
type stamp struct {
	info fs.FileInfo
}

func (s stamp) same(info fs.FileInfo) bool {
	return s.info != nil && os.SameFile(s.info, info) &&
		s.info.ModTime().Equal(info.ModTime()) && s.info.Size() == info.Size()
}

func newKnownFile(p string, logger log.Logger) *knownFile {
	return &knownFile{path: p, log: logger}
}

// refresh takes over what others changed in the file.
func (k *knownFile) refresh() error {
	if k.path == "" {
		return nil
	}
	info, err := os.Stat(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		k.saved, k.stamp = nil, stamp{} // memory goes on and is written again
		return nil
	}
	if err != nil {
		return fmt.Errorf("known daemons: %w", err)
	}
	if k.stamp.same(info) {
		return nil
	}
	list, info, err := readKnown(k.path)
	if errors.Is(err, errTorn) {
		return k.setAside(err)
	}
	if err != nil {
		return err
	}
	k.merge(list)
	k.stamp, k.complaint = stamp{info}, ""
	return nil
}

// merge takes the file's entries, drops those that were taken from the file since,
// and keeps those that never got there.
func (k *knownFile) merge(list []entry) {
	byLabel := func(l []entry, label string) int {
		return slices.IndexFunc(l, func(e entry) bool { return e.Label == label })
	}
	merged := slices.Clone(list)
	for _, e := range k.entries {
		if i := byLabel(merged, e.Label); i >= 0 {
			if e.place() == merged[i].place() && e.LastSeen.After(merged[i].LastSeen) {
				merged[i].LastSeen = e.LastSeen
			}
		} else if byLabel(k.saved, e.Label) < 0 {
			merged = append(merged, e)
		}
	}
	k.entries, k.saved = merged, list
}

func (k *knownFile) setAside(why error) error {
	bad := k.path + ".bad"
	if err := os.Rename(k.path, bad); err != nil {
		return fmt.Errorf("known daemons: %w, and it cannot be set aside: %w", why, err)
	}
	level.Warn(k.log).Log("msg", "file of known daemons was damaged and is set aside; daemons that are gone may be missing", "file", k.path, "moved_to", bad, "err", why)
	k.saved, k.stamp = nil, stamp{}
	return nil
}

// update replaces the entries and writes them when that is worth a write: last-seen
// times alone are written now and then.
func (k *knownFile) update(entries []entry, forgetAfter time.Duration) error {
	k.entries = entries
	if k.path == "" || !k.worthSaving(min(forgetAfter/20, 10*time.Minute)) {
		return nil
	}
	return k.save()
}

func (k *knownFile) worthSaving(stale time.Duration) bool {
	if len(k.entries) != len(k.saved) {
		return true
	}
	for _, e := range k.entries {
		i := slices.IndexFunc(k.saved, func(s entry) bool { return s.Label == e.Label })
		if i < 0 {
			return true
		}
		s := k.saved[i]
		if e.LastSeen.Sub(s.LastSeen) > stale {
			return true
		}
		s.LastSeen = e.LastSeen
		if s != e {
			return true
		}
	}
	return false
}

func (k *knownFile) save() error {
	if k.path == "" {
		return nil
	}
	return withLock(k.path, func() error {
		// The file may have changed since the pass began.
		if err := k.refresh(); err != nil {
			return err
		}
		info, err := writeKnown(k.path, k.entries)
		if err != nil {
			return err
		}
		k.saved, k.stamp, k.complaint = slices.Clone(k.entries), stamp{info}, ""
		return nil
	})
}

func (k *knownFile) forget(label string) error {
	if k.path != "" {
		if err := ForgetInFile(k.path, label); err != nil {
			return err
		}
		return k.refresh()
	}
	rest, err := without(k.entries, label)
	if err == nil {
		k.entries = rest
	}
	return err
}

// ForgetInFile drops a daemon from a file of known daemons. A running agent takes
// notice with its next pass.
func ForgetInFile(file, label string) error {
	return withLock(file, func() error {
		list, _, err := readKnown(file)
		if err != nil {
			return err
		}
		if list, err = without(list, label); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		_, err = writeKnown(file, list)
		return err
	})
}

func without(list []entry, label string) ([]entry, error) {
	i := slices.IndexFunc(list, func(e entry) bool { return e.Label == label })
	if i >= 0 {
		return slices.Delete(slices.Clone(list), i, i+1), nil
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no daemon %q is known; none is", label)
	}
	labels := make([]string, len(list))
	for i, e := range list {
		labels[i] = e.Label
	}
	slices.Sort(labels)
	return nil, fmt.Errorf("no daemon %q is known; known are: %s", label, strings.Join(labels, ", "))
}

func readKnown(file string) ([]entry, fs.FileInfo, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("known daemons: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("known daemons: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxKnownFile {
		return nil, nil, fmt.Errorf("%s is no file of known daemons (%s of %d bytes): name another one", file, info.Mode(), info.Size())
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKnownFile))
	if err != nil {
		return nil, nil, fmt.Errorf("known daemons: read %s: %w", file, err)
	}
	list, err := parseKnown(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", file, err)
	}
	return list, info, nil
}

func parseKnown(data []byte) ([]entry, error) {
	var head struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		var typ *json.UnmarshalTypeError
		if errors.As(err, &typ) {
			return nil, errors.New("is JSON of another program, not known daemons; name another file")
		}
		return nil, fmt.Errorf("%w: %w", errTorn, err)
	}
	switch {
	case head.Format != knownFormat:
		return nil, fmt.Errorf("is JSON of another program, not known daemons (format %q, expected %q); name another file", printable(head.Format), knownFormat)
	case head.Version > knownVersion:
		return nil, fmt.Errorf("was written by a newer agent (version %d; this agent reads up to version %d); upgrade the agent, or name another file", head.Version, knownVersion)
	}
	var doc knownDoc
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", errTorn, err)
	}
	labels := map[string]bool{}
	doc.Daemons = slices.DeleteFunc(doc.Daemons, func(e entry) bool {
		bad := e.Label == "" || len(e.Label) > maxLabel || e.Label != printable(e.Label) || labels[e.Label] ||
			!path.IsAbs(e.Home) || path.Clean(e.Home) != e.Home
		labels[e.Label] = true
		return bad
	})
	return doc.Daemons, nil
}

// writeKnown replaces the file in one step that survives a power cut.
func writeKnown(file string, list []entry) (info fs.FileInfo, err error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b entry) int { return strings.Compare(a.Label, b.Label) })
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(knownDoc{Format: knownFormat, Version: knownVersion, Daemons: list}); err != nil {
		return nil, fmt.Errorf("known daemons: %w", err)
	}
	dir := filepath.Dir(file)
	tmp, err := os.CreateTemp(dir, "."+filepath.Base(file)+".*")
	if err != nil {
		return nil, fmt.Errorf("known daemons: %w", err)
	}
	defer func() {
		tmp.Close()
		if err != nil {
			os.Remove(tmp.Name())
			err = fmt.Errorf("known daemons: write %s: %w", file, err)
		}
	}()
	// Run by root, `forget` must leave the file to the agent's user.
	if old, statErr := os.Stat(file); statErr == nil {
		if err = keepOwner(tmp, old); err != nil {
			return nil, err
		}
	}
	if _, err = tmp.Write(buf.Bytes()); err != nil {
		return nil, err
	}
	if err = tmp.Sync(); err != nil {
		return nil, err
	}
	if err = os.Rename(tmp.Name(), file); err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	if err = d.Sync(); err != nil {
		return nil, err
	}
	return os.Stat(file)
}
