package sourcemap

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"strings"
)

const (
	maxSources  = 100_000
	maxNames    = 300_000
	maxSections = 1_000
)

var errNoMap = errors.New("no source map of version 3")

// sourceMap is a map as it was written: places are looked for in the text of its
// mappings, which takes no memory beside it and one pass for a whole stack.
type sourceMap struct {
	parts []part // by their beginning in the script
	size  int64  // bytes
}

// part is a map, or one section of an index map.
type part struct {
	line, column int // where it begins in the script
	mappings     string
	sources      []string
	contents     []*string
	names        []string
}

func (p *part) content(source int) (string, bool) {
	if source < len(p.contents) && p.contents[source] != nil {
		return *p.contents[source], true
	}
	return "", false
}

// document is the JSON of a map. Its lists are decoded one by one, so that no
// more is allocated than is kept.
type document struct {
	Version        int             `json:"version"`
	SourceRoot     string          `json:"sourceRoot"`
	Sources        json.RawMessage `json:"sources"`
	SourcesContent json.RawMessage `json:"sourcesContent"`
	Names          json.RawMessage `json:"names"`
	Mappings       string          `json:"mappings"`
	Sections       json.RawMessage `json:"sections"`
}

type section struct {
	Offset struct {
		Line   int `json:"line"`
		Column int `json:"column"`
	} `json:"offset"`
	Map json.RawMessage `json:"map"`
}

func decode(text []byte) (*sourceMap, error) {
	if bytes.HasPrefix(text, []byte(")]}'")) { // so that no page can load it as a script
		end := bytes.IndexByte(text, '\n')
		if end < 0 {
			return nil, errNoMap
		}
		text = text[end+1:]
	}
	d, err := documentOf(text)
	if err != nil {
		return nil, err
	}
	s := &sourceMap{size: int64(len(text))}
	if d.Sections == nil {
		err = s.add(d, 0, 0)
	} else {
		err = s.sections(d.Sections)
	}
	return s, err
}

func documentOf(text []byte) (*document, error) {
	var d document
	if err := json.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("%w: %w", errNoMap, err)
	}
	if d.Version != 3 {
		return nil, errNoMap
	}
	return &d, nil
}

func (s *sourceMap) sections(raw json.RawMessage) error {
	return each(raw, maxSections, func(d *json.Decoder) error {
		var one section
		if err := d.Decode(&one); err != nil {
			return err
		}
		inner, err := documentOf(one.Map)
		if err != nil || inner.Sections != nil { // sections have none of their own
			return errNoMap
		}
		line, column := one.Offset.Line, one.Offset.Column
		if line < 0 || column < 0 || len(s.parts) > 0 && before(line, column, &s.parts[len(s.parts)-1]) {
			return errNoMap
		}
		return s.add(inner, line, column)
	})
}

func (s *sourceMap) add(d *document, line, column int) error {
	p := part{line: line, column: column, mappings: d.Mappings}
	sources, err := texts(d.Sources, maxSources)
	if err != nil {
		return err
	}
	if p.contents, err = texts(d.SourcesContent, len(sources)); err != nil {
		return err
	}
	names, err := texts(d.Names, maxNames)
	if err != nil {
		return err
	}
	for _, n := range names {
		p.names = append(p.names, or(n))
	}
	for _, source := range sources {
		name := or(source)
		if name != "" && d.SourceRoot != "" && !path.IsAbs(name) && !strings.Contains(name, "://") {
			name = strings.TrimSuffix(d.SourceRoot, "/") + "/" + name
		}
		p.sources = append(p.sources, name)
	}
	s.parts = append(s.parts, p)
	s.size += int64(len(p.sources)+len(p.names)+len(p.contents))*perText + 256
	return nil
}

// perText is what a text takes beside its bytes.
const perText = 48

func or(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// texts decodes a list of texts and nulls, at most limit of them.
func texts(raw json.RawMessage, limit int) (out []*string, err error) {
	err = each(raw, limit, func(d *json.Decoder) error {
		var s *string
		err := d.Decode(&s)
		out = append(out, s)
		return err
	})
	return out, err
}

// each calls f for each element of a list, which it has to decode.
func each(raw json.RawMessage, limit int, f func(*json.Decoder) error) error {
	if len(raw) == 0 || string(raw) == "null" {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return errNoMap
	}
	for n := 0; d.More(); n++ {
		if n == limit {
			return errNoMap
		}
		if err := f(d); err != nil {
			return fmt.Errorf("%w: %w", errNoMap, err)
		}
	}
	return nil
}

func before(line, column int, p *part) bool {
	return line < p.line || line == p.line && column < p.column
}
