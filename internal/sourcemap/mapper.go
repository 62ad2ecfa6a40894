// Package sourcemap finds the source of calls in compiled code, by the source
// maps that lie beside it, and the lines around each call.
//
// It guarantees bounded memory and time whatever a script, a map or a stack
// says, and that no file is opened but below the app's folder, and through the
// opener. It does not guarantee that a map belongs to the script as it runs.
package sourcemap

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/stack"
)

const (
	defaultFile  = 16 << 20
	defaultCache = 64 << 20
	maxContext   = 8 // calls with their lines: all together have to fit into a record
)

// Options say how files are opened, and the bounds.
type Options struct {
	// Open opens a file that an app named: it has to refuse whatever is not a
	// regular file of the app's user. The path is absolute and clean.
	Open     func(path string) (fs.File, error)
	MaxFile  int64 // bytes of a script or map; 0 is 16 MiB
	MaxCache int64 // bytes of all that is kept; 0 is 64 MiB
}

// Mapper maps the calls of all apps of a host. It may be used by several
// goroutines at once; one maps at a time.
type Mapper struct {
	o  Options
	mu sync.Mutex
	c  *cache
}

// New returns an error without Open.
func New(o Options) (*Mapper, error) {
	if o.Open == nil {
		return nil, errors.New("source maps: nothing to open files with: set Open")
	}
	if o.MaxFile <= 0 {
		o.MaxFile = defaultFile
	}
	if o.MaxCache <= 0 {
		o.MaxCache = defaultCache
	}
	return &Mapper{o: o, c: newCache(o.MaxCache)}, nil
}

// Map returns frames as they are in the source, with the lines around the first
// of the app's own; mapped is false where no map applied. frames are left as
// they are. root is the app's folder: that to which files are relative, and
// below which files are read.
func (m *Mapper) Map(root string, frames []record.Frame) (out []record.Frame, mapped bool) {
	out = slices.Clone(frames)
	root = path.Clean(root)
	if !path.IsAbs(root) || root == "/" {
		return out, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	byFile := map[string][]int{}
	for i := range frames {
		if file, ok := within(root, frames[i].File); ok && frames[i].InApp && frames[i].Line > 0 {
			byFile[file] = append(byFile[file], i)
		}
	}
	sources := map[int]source{}
	names := map[int]string{}
	for file, calls := range byFile {
		mapOf, dir := m.mapFor(root, file)
		if mapOf == nil {
			continue
		}
		wanted := make([]*lookup, len(calls))
		for i, n := range calls {
			wanted[i] = &lookup{line: frames[n].Line - 1, column: max(0, frames[n].Column-1)}
		}
		mapOf.find(wanted)
		for i, n := range calls {
			if w := wanted[i]; w.found {
				mapped = true
				names[n] = w.name
				sources[n] = setSource(&out[n], mapOf, w, root, dir)
			}
		}
	}
	rename(out, frames, names)
	m.addLines(root, out, sources)
	return out, mapped
}

// source is where the lines of a mapped call are, if the map has them.
type source struct {
	content string
	has     bool
}

// setSource puts a call to its place in the source.
func setSource(f *record.Frame, s *sourceMap, w *lookup, root, dir string) source {
	name := w.part.sources[w.source]
	if !strings.Contains(name, "://") {
		if !path.IsAbs(name) {
			name = path.Join(dir, name)
		}
	}
	f.File, f.InApp = stack.Place(name, root)
	f.Line, f.Column = w.toLine+1, w.toColumn+1
	content, has := w.part.content(w.source)
	return source{content, has}
}

// rename gives functions the names that they had before they were minified: a
// call's function is named where it is called, in the call that follows.
func rename(out, was []record.Frame, names map[int]string) {
	for i := range out {
		if _, ok := names[i]; !ok || !minified(was[i].Function) || i+1 >= len(out) {
			continue
		}
		if name := names[i+1]; name != "" && !minified(name) {
			out[i].Function = name
		}
	}
}

// minified is true for names of one or two letters.
func minified(function string) bool {
	function = strings.TrimPrefix(function, "async ")
	function = function[strings.LastIndexByte(function, '.')+1:]
	return function != "" && len(function) <= 2
}

// addLines adds the lines around the first calls of the app's own.
func (m *Mapper) addLines(root string, out []record.Frame, sources map[int]source) {
	added := 0
	for i := range out {
		f := &out[i]
		if !f.InApp || f.Line <= 0 || added == maxContext {
			continue
		}
		s, ok := sources[i]
		content := s.content
		if !ok || !s.has {
			file, inside := within(root, f.File)
			if !inside {
				continue
			}
			content = m.textOf(file)
		}
		if around(f, content) {
			added++
		}
	}
}

// within returns the absolute path of a file that is below root.
func within(root, file string) (string, bool) {
	if file == "" || strings.ContainsRune(file, 0) || strings.Contains(file, "://") || strings.HasPrefix(file, "node:") || file[0] == '<' {
		return "", false
	}
	if !path.IsAbs(file) {
		file = path.Join(root, file)
	}
	file = path.Clean(file)
	return file, strings.HasPrefix(file, root+"/")
}

// read returns a file's content, from the cache where it has not changed. use
// makes of the content what is kept, and says how large that is.
func (m *Mapper) read(kind, file string, use func(content []byte) (kept any, size int64)) any {
	f, err := m.o.Open(file)
	if err != nil {
		return nil // many have none
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() > m.o.MaxFile {
		return nil
	}
	key := cacheKey{kind, file, info.ModTime().UnixNano(), info.Size()}
	if kept, ok := m.c.get(key); ok {
		return kept
	}
	content, err := io.ReadAll(io.LimitReader(f, m.o.MaxFile+1))
	if err != nil || int64(len(content)) > m.o.MaxFile {
		return nil
	}
	kept, size := use(content)
	m.c.put(key, kept, size)
	return kept
}

// textOf is a source file's content; "" if there is none.
func (m *Mapper) textOf(file string) string {
	text, _ := m.read("text", file, func(content []byte) (any, int64) {
		return string(content), int64(len(content))
	}).(string)
	return text
}
