package sourcemap

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"path"
	"strings"
)

// reference is what a script says of its map.
type reference struct {
	url    string     // of a file, relative to the script; "" for none
	inline *sourceMap // within the script
}

// mapFor is the map of a script, and the folder that its sources are relative to.
func (m *Mapper) mapFor(root, script string) (*sourceMap, string) {
	r, ok := m.read("script", script, func(content []byte) (any, int64) {
		r := referenceIn(content)
		size := int64(len(r.url)) + 64
		if r.inline != nil {
			size += r.inline.size
		}
		return r, size
	}).(reference)
	if !ok {
		return nil, ""
	}
	if r.inline != nil {
		return r.inline, path.Dir(script)
	}
	candidates := []string{script + ".map"}
	if r.url != "" {
		if file := path.Join(path.Dir(script), r.url); strings.HasPrefix(file, root+"/") {
			candidates = append([]string{file}, candidates...)
		}
	}
	for _, file := range candidates {
		s, _ := m.read("map", file, func(content []byte) (any, int64) {
			s, err := decode(content)
			if err != nil {
				return (*sourceMap)(nil), 64 // known to be none
			}
			return s, s.size
		}).(*sourceMap)
		if s != nil {
			return s, path.Dir(file)
		}
	}
	return nil, ""
}

// referenceIn reads the last comment that names a map.
func referenceIn(script []byte) reference {
	at := bytes.LastIndex(script, []byte("# sourceMappingURL="))
	if at < 0 {
		if at = bytes.LastIndex(script, []byte("@ sourceMappingURL=")); at < 0 {
			return reference{}
		}
	}
	ref := script[at+len("# sourceMappingURL="):]
	if end := bytes.IndexAny(ref, " \t\r\n*'\""); end >= 0 {
		ref = ref[:end]
	}
	if data, ok := bytes.CutPrefix(ref, []byte("data:")); ok {
		s, err := decodeData(data)
		if err != nil {
			return reference{}
		}
		return reference{inline: s}
	}
	if len(ref) > 1024 {
		return reference{}
	}
	name, err := url.PathUnescape(string(ref))
	if err != nil || strings.Contains(name, "://") || strings.ContainsRune(name, 0) || path.IsAbs(name) {
		return reference{} // not beside the script
	}
	return reference{url: name}
}

// decodeData reads application/json;charset=utf-8;base64,….
func decodeData(data []byte) (*sourceMap, error) {
	kind, payload, ok := bytes.Cut(data, []byte(","))
	if !ok {
		return nil, errNoMap
	}
	if bytes.HasSuffix(kind, []byte(";base64")) {
		decoded, err := base64.StdEncoding.DecodeString(string(payload))
		if err != nil {
			return nil, err
		}
		return decode(decoded)
	}
	decoded, err := url.PathUnescape(string(payload))
	if err != nil {
		return nil, err
	}
	return decode([]byte(decoded))
}
