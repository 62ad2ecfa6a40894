package routing

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	maxFile   = 1 << 20 // bytes
	maxErrors = 10      // that are told at once
)

// document is one reading of a file. It knows the line of each key, and collects
// what is wrong. No value is told, as it may be a secret.
type document struct {
	lines map[string]int // by the path to a key
	errs  []error
}

// wrong notes that the value at a path is wrong, and how to mend it.
func (d *document) wrong(path, format string, args ...any) {
	d.errs = append(d.errs, fmt.Errorf("line %d: %s: %s", d.lineOf(path), path, fmt.Sprintf(format, args...)))
}

// lineOf is the line of a path, or of what it would be in.
func (d *document) lineOf(path string) int {
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

func (d *document) err() error {
	if len(d.errs) <= maxErrors {
		return errors.Join(d.errs...)
	}
	return errors.Join(append(slices.Clone(d.errs[:maxErrors]), fmt.Errorf("and %d more", len(d.errs)-maxErrors))...)
}

// decode reads one YAML document strictly into a pointer to structs with yaml
// tags, lists, maps, texts and pointers. An empty file leaves it as it is.
func decode(data []byte, into any) (*document, error) {
	d := &document{lines: map[string]int{}}
	if len(data) > maxFile {
		return d, fmt.Errorf("it has %d bytes; at most %d are taken", len(data), maxFile)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var node yaml.Node
	if err := decoder.Decode(&node); err != nil {
		if strings.TrimSpace(err.Error()) == "EOF" {
			return d, nil
		}
		return d, syntax(err)
	}
	if decoder.Decode(&yaml.Node{}) == nil {
		return d, errors.New("it has more than one document; remove what follows the line ---")
	}
	d.check("", node.Content[0], reflect.TypeOf(into).Elem())
	if len(d.errs) > 0 {
		return d, d.err()
	}
	if err := node.Decode(into); err != nil { // check has seen all of that
		return d, syntax(err)
	}
	return d, nil
}

var quotedValue = regexp.MustCompile("`[^`]*`|\"(?:[^\"\\\\]|\\\\.)*\"")

// syntax says what the reader of YAML found, without the text that it found.
func syntax(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	return errors.New(quotedValue.ReplaceAllString(text, "…") + "; it is no YAML as it stands")
}

// check holds that a node has the form of a type.
func (d *document) check(path string, n *yaml.Node, t reflect.Type) {
	if path != "" && d.lines[path] == 0 {
		d.lines[path] = n.Line
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.wrong(orFile(path), "anchors and aliases (& and *) are not taken: write it out, or put a text that begins so in quotes")
		return
	}
	empty := n.Kind == yaml.ScalarNode && n.Tag == "!!null"
	switch t.Kind() {
	case reflect.Pointer:
		d.check(path, n, t.Elem())
	case reflect.Struct, reflect.Map:
		if n.Kind != yaml.MappingNode {
			if !empty {
				d.wrong(orFile(path), "keys with values are expected here, as in %s", example(t))
			}
			return
		}
		d.checkKeys(path, n, t)
	case reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			if !empty {
				d.wrong(orFile(path), "a list is expected here, as in %s", example(t))
			}
			return
		}
		for i, item := range n.Content {
			at := fmt.Sprintf("%s[%d]", path, i)
			d.lines[at] = item.Line
			if item.Tag == "!!null" {
				d.wrong(at, "the item is empty: write it, or remove the dash or comma")
				continue
			}
			d.check(at, item, t.Elem())
		}
	case reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Tag != "!!bool" {
			d.wrong(path, "write true or false")
		}
	default:
		if n.Kind != yaml.ScalarNode || n.Tag == "!!binary" {
			d.wrong(path, "one text is expected here: write it in quotes")
		} else if strings.Contains(n.Value, "{{") { // Alertmanager would run it
			d.wrong(path, "templates are not taken here: remove {{")
		}
	}
}

// checkKeys holds that each key is known and there once.
func (d *document) checkKeys(path string, n *yaml.Node, t reflect.Type) {
	fields, seen := fieldsOf(t), map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || key.Tag == "!!null" {
			d.wrong(orFile(path), "a key is expected to be a plain name")
			continue
		}
		d.lines[at] = key.Line
		if seen[key.Value] {
			d.wrong(at, "it is there twice: remove one")
			continue
		}
		seen[key.Value] = true
		if t.Kind() == reflect.Map {
			d.check(at, value, t.Elem())
			continue
		}
		field, ok := fields[key.Value]
		if !ok {
			d.wrong(at, "there is no such key; known here: %s", strings.Join(keysOf(t), ", "))
			continue
		}
		d.check(at, value, field)
	}
}

func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := map[string]reflect.Type{}
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			fields[t.Field(i).Tag.Get("yaml")] = t.Field(i).Type
		}
	}
	return fields
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		keys = append(keys, t.Field(i).Tag.Get("yaml"))
	}
	return keys
}

// example shows the form of a type in one line.
func example(t reflect.Type) string {
	switch {
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Struct:
		return "- {" + keysOf(t.Elem())[0] + ": …}"
	case t.Kind() == reflect.Slice:
		return "[one, other]"
	case t.Kind() == reflect.Struct:
		return "{" + keysOf(t)[0] + ": …}"
	}
	return "{name: …}"
}

// orFile names what has no key.
func orFile(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
