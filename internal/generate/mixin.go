package generate

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// mixinFiles wrap rules and boards for those who deploy with jsonnet.
func mixinFiles(o Options) ([]File, error) {
	boards, err := boardFiles(o)
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	b.WriteString("// Written by pm25 generate: the rules and boards beside this folder, as a monitoring mixin.\n{\n")
	fmt.Fprintf(&b, "  local pm25 = std.parseYaml(importstr '../%s'),\n", rulesPath)
	b.WriteString(`  local only(kind) = { groups: std.filter(function(group) std.length(group.rules) > 0, [
    group { rules: std.filter(function(rule) std.objectHas(rule, kind), group.rules) }
    for group in pm25.groups
  ]) },
  prometheusAlerts+:: only('alert'),
  prometheusRules+:: only('record'),
  grafanaDashboards+:: {
`)
	for _, board := range boards {
		fmt.Fprintf(&b, "    '%s': import '../%s',\n", path.Base(board.Path), board.Path)
	}
	b.WriteString("  },\n}\n")
	return []File{{"mixin/mixin.libsonnet", []byte(b.String())}}, nil
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
