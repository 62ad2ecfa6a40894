// Package strictyaml reads the YAML files in which people set something: those of
// rules, receivers and owners.
//
// It takes a file only where each key is known, there once, and of the form that
// its Go type asks for. Errors, one a line, name the line, the path to the key,
// what is wrong and how to mend it, in the terms of YAML and not of Go. They
// repeat keys but no value, as that may be a secret. What a value means is for the
// caller to judge, who tells of it with Document.Wrong. It opens no file.
package strictyaml

import (
	"encoding"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// MaxFile is how many bytes a file may have.
const MaxFile = 1 << 20

// A TextCheck says what is wrong with any text that stands as a value, or "".
type TextCheck func(text string) string

// Decode reads one YAML document into a pointer to structs whose fields all have
// yaml tags, lists, maps, texts, numbers, switches and pointers. What the file does
// not name stays as it is. A list that reads itself may be written as one item, and
// a type with UnmarshalText as a text.
func Decode(data []byte, into any, checks ...TextCheck) (*Document, error) {
	d := &Document{lines: map[string]int{}, checks: checks}
	if len(data) > MaxFile {
		return d, fmt.Errorf("it has %d bytes; at most %d are taken", len(data), MaxFile)
	}
	decoder := yaml.NewDecoder(strings.NewReader(string(data)))
	var node yaml.Node
	if err := decoder.Decode(&node); errors.Is(err, io.EOF) {
		return d, nil
	} else if err != nil {
		return d, syntax(err)
	}
	if decoder.Decode(&yaml.Node{}) == nil {
		return d, errors.New("it has more than one document; remove what follows the line ---")
	}
	d.check("", node.Content[0], reflect.TypeOf(into).Elem())
	if len(d.errs) > 0 {
		return d, d.Err()
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
func (d *Document) check(path string, n *yaml.Node, t reflect.Type) {
	if path != "" && d.lines[path] == 0 {
		d.lines[path] = n.Line
	}
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.Wrong(orFile(path), "anchors and aliases (& and *) are not taken: write it out, or put a text that begins so in quotes")
		return
	}
	empty := n.Kind == yaml.ScalarNode && n.Tag == "!!null"
	switch t.Kind() {
	case reflect.Pointer:
		if !empty {
			d.check(path, n, t.Elem())
		}
	case reflect.Struct, reflect.Map:
		if n.Kind == yaml.MappingNode {
			d.checkKeys(path, n, t)
		} else if !empty {
			d.Wrong(orFile(path), "keys with values are expected here, as in %s", example(t))
		}
	case reflect.Slice:
		switch {
		case n.Kind == yaml.SequenceNode:
			d.checkItems(path, n, t)
		case n.Kind == yaml.ScalarNode && readsItself(t):
			d.check(path, n, t.Elem())
		case !empty:
			d.Wrong(orFile(path), "a list is expected here, as in %s", example(t))
		}
	default:
		d.checkScalar(path, n, t)
	}
}

func (d *Document) checkItems(path string, n *yaml.Node, t reflect.Type) {
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", path, i)
		d.lines[at] = item.Line
		if item.Tag == "!!null" {
			d.Wrong(at, "the item is empty: write it, or remove the dash or comma")
			continue
		}
		d.check(at, item, t.Elem())
	}
}

// checkScalar holds that a node is the one value that a type asks for.
func (d *Document) checkScalar(path string, n *yaml.Node, t reflect.Type) {
	scalar := n.Kind == yaml.ScalarNode
	if reader, ok := reflect.New(t).Interface().(encoding.TextUnmarshaler); ok {
		if !scalar || reader.UnmarshalText([]byte(n.Value)) != nil {
			d.Wrong(path, "%s", remedy(t))
		}
		return
	}
	switch t.Kind() {
	case reflect.Bool:
		if !scalar || n.Tag != "!!bool" {
			d.Wrong(path, "write true or false")
		}
	case reflect.Float64, reflect.Int:
		if !scalar || n.Decode(reflect.New(t).Interface()) != nil || n.Tag == "!!null" {
			d.Wrong(path, "write a number")
		}
	default:
		if !scalar || n.Tag == "!!binary" {
			d.Wrong(path, "one text is expected here: write it in quotes")
			return
		}
		for _, check := range d.checks {
			if problem := check(n.Value); problem != "" {
				d.Wrong(path, "%s", problem)
			}
		}
	}
}

// remedy says how a type that reads texts is written.
func remedy(t reflect.Type) string {
	if t.Kind() == reflect.Int64 {
		return "write a time, as in 30s, 5m or 4h"
	}
	return "it can not be read: write it as the documentation shows"
}

// readsItself is true for types that have a say in how they are written.
func readsItself(t reflect.Type) bool {
	switch reflect.New(t).Interface().(type) {
	case yaml.Unmarshaler, interface {
		UnmarshalYAML(unmarshal func(any) error) error
	}:
		return true
	}
	return false
}

// checkKeys holds that each key is known and there once.
func (d *Document) checkKeys(path string, n *yaml.Node, t reflect.Type) {
	fields, seen := fieldsOf(t), map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := strings.TrimPrefix(path+"."+key.Value, ".")
		if key.Kind != yaml.ScalarNode || key.Tag == "!!merge" || key.Tag == "!!null" {
			d.Wrong(orFile(path), "a key is expected to be a plain name")
			continue
		}
		d.lines[at] = key.Line
		if seen[key.Value] {
			d.Wrong(at, "it is there twice: remove one")
			continue
		}
		seen[key.Value] = true
		if t.Kind() == reflect.Map {
			d.check(at, value, t.Elem())
			continue
		}
		field, ok := fields[key.Value]
		if !ok {
			d.Wrong(at, "there is no such key; %s", Known(key.Value, keysOf(t)))
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
