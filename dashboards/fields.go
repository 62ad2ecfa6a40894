package dashboards

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	gtable "github.com/grafana/grafana-foundation-sdk/go/table"
)

var nothing = text{"nothing", "无"}

// fieldConfig is what all values of the panel have in common, and what some have
// of their own.
func (p panel) fieldConfig(o Options) dashboard.FieldConfigSource {
	empty := p.empty
	if empty.en == "" {
		empty = nothing
	}
	d := dashboard.FieldConfig{
		Unit: ptr(p.unit.id), Decimals: ptr(p.unit.decimals), NoValue: ptr(empty.in(o.Language)), Mappings: mappings(o, p.values),
		Color: &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassicByName}, Thresholds: thresholds(p.steps), Links: dataLinks(o, p.links, p.kind == table),
	}
	if p.kind == stat {
		d.Mappings = append(d.Mappings, nothingIs(o, empty))
	}
	switch {
	case p.kind == stat || p.kind == timeline:
		d.Color.Mode = dashboard.FieldColorModeIdThresholds
	case p.kind == bars && len(p.steps) > 0:
		d.Color.Mode = dashboard.FieldColorModeIdThresholds
	case p.kind == bars:
		d.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: ptr(blue)}
	}
	if p.kind == graph || p.kind == bars {
		d.Min = ptr(0.0)
	}
	if p.top != nil {
		d.Max = p.top
	}
	out := dashboard.FieldConfigSource{Defaults: d, Overrides: []dashboard.DashboardFieldConfigSourceOverrides{}}
	for _, s := range p.styles {
		out.Overrides = append(out.Overrides, s.override())
	}
	for _, f := range p.fields {
		out.Overrides = append(out.Overrides, f.override(o))
	}
	return out
}

func thresholds(steps []step) *dashboard.ThresholdsConfig {
	out := &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute}
	for i, s := range steps {
		t := dashboard.Threshold{Value: ptr(s.from), Color: s.color}
		if i == 0 {
			t.Value = nil // from anything on
		}
		out.Steps = append(out.Steps, t)
	}
	if len(steps) == 0 {
		out.Steps = []dashboard.Threshold{{Color: "text"}}
	}
	return out
}

func mappings(o Options, values []value) []dashboard.ValueMapping {
	var out []dashboard.ValueMapping
	for i, v := range values {
		result := dashboard.ValueMappingResult{Text: ptr(v.text.in(o.Language)), Index: ptr(int32(i))}
		if v.color != "" {
			result.Color = ptr(v.color)
		}
		if v.is != "" {
			out = append(out, dashboard.ValueMapping{ValueMap: &dashboard.ValueMap{Type: dashboard.MappingTypeValueToText, Options: map[string]dashboard.ValueMappingResult{v.is: result}}})
			continue
		}
		out = append(out, dashboard.ValueMapping{RangeMap: &dashboard.RangeMap{
			Type: dashboard.MappingTypeRangeToText, Options: dashboard.DashboardRangeMapOptions{From: ptr(v.from), To: ptr(v.to), Result: result},
		}})
	}
	return out
}

// nothingIs names what is absent, in gray: without data no color says anything.
func nothingIs(o Options, t text) dashboard.ValueMapping {
	return dashboard.ValueMapping{SpecialValueMap: &dashboard.SpecialValueMap{Type: dashboard.MappingTypeSpecialValue, Options: dashboard.DashboardSpecialValueMapOptions{
		Match: dashboard.SpecialValueMatchNullAndNan, Result: dashboard.ValueMappingResult{Text: ptr(t.in(o.Language)), Color: ptr(gray), Index: ptr(int32(99))},
	}}}
}

func (s style) override() dashboard.DashboardFieldConfigSourceOverrides {
	var ps []dashboard.DynamicConfigValue
	if s.color != "" {
		ps = append(ps, property("color", dashboard.FieldColor{Mode: dashboard.FieldColorModeIdFixed, FixedColor: &s.color}))
	}
	if s.dashed {
		ps = append(ps, property("custom.lineStyle", map[string]any{"fill": "dash", "dash": []int{10, 6}}), property("custom.fillOpacity", 0),
			property("custom.stacking", map[string]any{"mode": "none", "group": "B"}))
	}
	return dashboard.DashboardFieldConfigSourceOverrides{Matcher: dashboard.MatcherConfig{Id: "byRegexp", Options: s.match}, Properties: ps}
}

func property(id string, v any) dashboard.DynamicConfigValue {
	return dashboard.DynamicConfigValue{Id: id, Value: v}
}

// column is the name of a field before it is renamed: that of a label, or Grafana's
// for the value of a query.
func (f field) column() string {
	if ref, ok := strings.CutPrefix(f.name, "#"); ok {
		return "Value #" + ref
	}
	return f.name
}

func (f field) override(o Options) dashboard.DashboardFieldConfigSourceOverrides {
	u := f.unit
	if u.id == "" {
		u = plainText
	}
	// The text of an empty panel is not that of an empty cell.
	ps := []dashboard.DynamicConfigValue{property("unit", u.id), property("decimals", u.decimals), property("noValue", "–")}
	if len(f.steps) > 0 {
		ps = append(ps, property("thresholds", thresholds(f.steps)), property("color", dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}))
	}
	if len(f.values) > 0 {
		ps = append(ps, property("mappings", mappings(o, f.values)))
	}
	switch {
	case f.gauge:
		ps = append(ps, property("custom.cellOptions", common.TableBarGaugeCellOptions{
			Type: common.TableCellDisplayModeGauge, Mode: ptr(common.BarGaugeDisplayModeBasic), ValueDisplayMode: ptr(common.BarGaugeValueModeText),
		}), property("min", 0), property("max", f.max))
	case f.plain && len(f.steps)+len(f.values) > 0: // else Grafana's palette would color it
		ps = append(ps, property("custom.cellOptions", common.TableColorTextCellOptions{Type: common.TableCellDisplayModeColorText}))
	case len(f.steps) > 0 || len(f.values) > 0:
		ps = append(ps, property("custom.cellOptions", common.TableColoredBackgroundCellOptions{
			Type: common.TableCellDisplayModeColorBackground, Mode: ptr(common.TableCellBackgroundDisplayModeBasic),
		}))
	}
	if f.width > 0 {
		ps = append(ps, property("custom.width", f.width))
	}
	if len(f.links) > 0 {
		ps = append(ps, property("links", dataLinks(o, f.links, true)))
	}
	return dashboard.DashboardFieldConfigSourceOverrides{Matcher: dashboard.MatcherConfig{Id: "byName", Options: f.title.in(o.Language)}, Properties: ps}
}

// transformations put the answers of all queries into one table, by the labels that
// they have in common, with the columns in the order of fields.
func (p panel) transformations(o Options) []dashboard.DataTransformerConfig {
	order, names := map[string]int{}, map[string]string{}
	var keep []string
	for i, f := range p.fields {
		column := f.column()
		if len(p.targets) == 1 && f.name == "#A" {
			column = "Value"
			// Loki's answers are named by their query even when it is the only one.
			order["Value #A"], names["Value #A"] = i, f.title.in(o.Language)
			keep = append(keep, "Value #A")
		}
		order[column], names[column] = i, f.title.in(o.Language)
		keep = append(keep, column)
	}
	return []dashboard.DataTransformerConfig{
		{Id: "merge", Options: map[string]any{}},
		{Id: "filterFieldsByName", Options: map[string]any{"include": map[string]any{"names": keep}}},
		{Id: "organize", Options: map[string]any{"indexByName": order, "renameByName": names, "excludeByName": map[string]any{}, "includeByName": map[string]any{}}},
	}
}

// shorterNames says host and instance once where they are the same, as on the machine
// of `pm25 up`.
func (p panel) shorterNames() []dashboard.DataTransformerConfig {
	for _, t := range p.targets {
		if strings.Contains(t.legend, "{{host}} {{instance}}") {
			return []dashboard.DataTransformerConfig{{Id: "renameByRegex", Options: map[string]any{"regex": `/^(\S+) \1(?= |$)/`, "renamePattern": "$1"}}}
		}
	}
	return nil
}

func (p panel) tableOptions(o Options) gtable.Options {
	out := gtable.Options{ShowHeader: true, CellHeight: ptr(common.TableCellHeightSm), SortBy: []common.TableSortByFieldState{}}
	name, descending := strings.CutPrefix(p.sort, "-")
	for _, f := range p.fields {
		if f.name == name && name != "" {
			out.SortBy = append(out.SortBy, common.TableSortByFieldState{DisplayName: f.title.in(o.Language), Desc: &descending})
		}
	}
	return out
}

// cell is a column of numbers, as wide as its title and they need.
func cell(ref string, title text, u unit, steps ...step) field {
	return field{name: "#" + ref, title: title, unit: u, steps: steps, plain: true, width: max(float64(8*len(title.en)+32), numberWidths[u.id])}
}

// numberWidths are what the values of units need, in pixels.
var numberWidths = map[string]float64{
	count.id: 70, burns.id: 75, share.id: 75, seconds.id: 85, bytesize.id: 95, requestsS.id: 105, perSecond.id: 95, ago.id: 135,
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func sprintf(format string, args ...any) string { return fmt.Sprintf(format, args...) }
