package alertmanager

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/prometheus/alertmanager/config"
	"go.yaml.in/yaml/v3"
)

// maxKeys bounds the search for the part of a mapping that is to blame.
const maxKeys = 200

// line is one of a configuration file; 0 is none.
type line int

func (l line) prefix(path string) string {
	if l == 0 {
		return path
	}
	return path + ":" + strconv.Itoa(int(l))
}

var (
	yamlLine     = regexp.MustCompile(`(?m)^\s*(?:yaml: )?line (\d+): (.*)$`)
	unknownField = regexp.MustCompile(`^field (\S+) not found in type \S+$`)
	secretURL    = regexp.MustCompile(`(parse |scheme )"(?:[^"\\]|\\.)*"`)

	undefinedReceiver = regexp.MustCompile(`^undefined receiver (".*") used in route$`)
	undefinedInterval = regexp.MustCompile(`^undefined time interval (".*") used in route$`)
	twice             = regexp.MustCompile(`^(notification config name|mute time interval|time interval) (".*") is not unique$`)
)

// redact takes out URLs, which may hold a secret.
func redact(text string) string { return secretURL.ReplaceAllString(text, `$1"<url>"`) }

// locate tells where in a file the error lies that config.Load had with it, and
// how to mend the usual mistakes.
func locate(path string, data []byte, err error) error {
	text := err.Error()
	if found := yamlLine.FindAllStringSubmatch(text, -1); found != nil {
		var errs []error
		for _, m := range found {
			what := m[2]
			if field := unknownField.FindStringSubmatch(what); field != nil {
				what = fmt.Sprintf("unknown field %q; correct its name or remove it", field[1])
			}
			errs = append(errs, fmt.Errorf("%s:%s: %s", path, m[1], redact(what)))
		}
		return errors.Join(errs...)
	}
	var doc yaml.Node
	var at line
	if yaml.Unmarshal(data, &doc) == nil && len(doc.Content) == 1 {
		if at = named(doc.Content[0], text); at == 0 {
			at = blame(&doc, text)
		}
	}
	return fmt.Errorf("%s: %s%s", at.prefix(path), redact(text), remedy(text))
}

// remedy says how to mend the usual mistakes.
func remedy(text string) string {
	switch {
	case strings.HasPrefix(text, "undefined receiver"):
		return "; define it under receivers:, or correct the name"
	case strings.HasPrefix(text, "undefined time interval"):
		return "; define it under time_intervals:, or correct the name"
	case strings.HasSuffix(text, "is not unique"):
		return "; give one of them another name"
	case strings.HasPrefix(text, "no route"):
		return "; add route: with the receiver for all alerts"
	case strings.HasPrefix(text, "bad matcher format"):
		return `; write it as 'app="api"' or 'app=~"api|web"'`
	case strings.Contains(text, "in duration") || strings.Contains(text, "not a valid duration"):
		return "; write it as 30s, 5m or 4h"
	}
	return ""
}

// named finds the name that an error quotes, where it is known what kind of
// name that is.
func named(root *yaml.Node, text string) line {
	if m := undefinedReceiver.FindStringSubmatch(text); m != nil {
		return inRoutes(child(root, "route"), unquote(m[1]), "receiver")
	}
	if m := undefinedInterval.FindStringSubmatch(text); m != nil {
		return inRoutes(child(root, "route"), unquote(m[1]), "active_time_intervals", "mute_time_intervals")
	}
	m := twice.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	sections := []string{"mute_time_intervals", "time_intervals"}
	if m[1] == "notification config name" {
		sections = []string{"receivers"}
	}
	seen := 0
	for _, section := range sections {
		for _, item := range items(child(root, section)) {
			if name := child(item, "name"); name != nil && name.Value == unquote(m[2]) {
				if seen++; seen == 2 {
					return line(name.Line)
				}
			}
		}
	}
	return 0
}

// inRoutes finds a value of one of the keys in a tree of routes, those below
// first, as Alertmanager checks them.
func inRoutes(route *yaml.Node, value string, keys ...string) line {
	for _, below := range items(child(route, "routes")) {
		if at := inRoutes(below, value, keys...); at != 0 {
			return at
		}
	}
	for _, key := range keys {
		n := child(route, key)
		if n != nil && n.Kind == yaml.ScalarNode && n.Value == value {
			return line(n.Line)
		}
		for _, item := range items(n) {
			if item.Value == value {
				return line(item.Line)
			}
		}
	}
	return 0
}

// blame finds the smallest part without which the error is gone, or another.
func blame(doc *yaml.Node, text string) line {
	still := func() bool {
		data, err := yaml.Marshal(doc)
		if err != nil {
			return false
		}
		_, err = config.Load(string(data))
		return err != nil && err.Error() == text
	}
	if !still() {
		return 0
	}
	at := line(0)
	for n := doc.Content[0]; n != nil; {
		all := n.Content
		without := func(from, to int) bool {
			n.Content = slices.Delete(slices.Clone(all), from, to)
			defer func() { n.Content = all }()
			return still()
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < min(len(all), maxKeys) && next == nil; i += 2 {
				if !without(i, i+2) {
					at, next = line(all[i].Line), all[i+1]
				}
			}
		case yaml.SequenceNode: // may be long: take away more and more from its front
			i := sort.Search(len(all), func(i int) bool { return !without(0, i+1) })
			if i < len(all) {
				at, next = line(all[i].Line), all[i]
			}
		}
		n = next
	}
	return at
}

// itemOf is the line of the first item of a section for which is says so, given
// its number and its name, or its text when it has no name.
func itemOf(data []byte, section string, is func(i int, name string) bool) line {
	var doc yaml.Node
	if yaml.Unmarshal(data, &doc) != nil || len(doc.Content) != 1 {
		return 0
	}
	for i, item := range items(child(doc.Content[0], section)) {
		name := child(item, "name")
		if name == nil {
			name = item
		}
		if is(i, name.Value) {
			return line(name.Line)
		}
	}
	return 0
}

func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

func items(n *yaml.Node) []*yaml.Node {
	if n == nil || n.Kind != yaml.SequenceNode {
		return nil
	}
	return n.Content
}

func unquote(s string) string {
	if u, err := strconv.Unquote(s); err == nil {
		return u
	}
	return s
}
