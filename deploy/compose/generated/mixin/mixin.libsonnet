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
    'pm25-fleet.json': import '../grafana/dashboards/pm25-fleet.json',
    'pm25-host.json': import '../grafana/dashboards/pm25-host.json',
    'pm25-app.json': import '../grafana/dashboards/pm25-app.json',
    'pm25-process.json': import '../grafana/dashboards/pm25-process.json',
    'pm25-routes.json': import '../grafana/dashboards/pm25-routes.json',
    'pm25-exceptions.json': import '../grafana/dashboards/pm25-exceptions.json',
    'pm25-alerts.json': import '../grafana/dashboards/pm25-alerts.json',
    'pm25-self.json': import '../grafana/dashboards/pm25-self.json',
  },
}
