// Written by pm25 generate: the rules and boards beside this folder, as a monitoring mixin.
{
  local pm25 = std.parseYaml(importstr '../prometheus/rules/pm25.yml'),
  local only(kind) = { groups: std.filter(function(group) std.length(group.rules) > 0, [
    group { rules: std.filter(function(rule) std.objectHas(rule, kind), group.rules) }
    for group in pm25.groups
  ]) },
  prometheusAlerts+:: only('alert'),
  prometheusRules+:: only('record'),
  grafanaDashboards+:: {
  },
}
