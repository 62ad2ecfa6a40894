package dashboards

import (
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/logs"
	gstat "github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	gtable "github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// appearance returns the options of the panel's plugin and its custom settings of
// fields. Every enumeration is set: the SDK writes those that are not as the empty
// text, which Grafana does not know.
func (p panel) appearance(o Options) (options, custom any) {
	switch p.kind {
	case stat:
		return p.statOptions(), nil
	case bars:
		return p.barOptions(), nil
	case table:
		return p.tableOptions(o), gtable.FieldConfig{
			Align: common.FieldTextAlignmentAuto, Inspect: false, CellOptions: &common.TableCellOptions{TableAutoCellOptions: &common.TableAutoCellOptions{Type: common.TableCellDisplayModeAuto}},
		}
	case timeline:
		return timelineOptions(), statetimeline.FieldConfig{LineWidth: ptr(uint32(0)), FillOpacity: ptr(uint32(80)), HideFrom: shown(), AxisPlacement: ptr(common.AxisPlacementAuto)}
	case heat:
		return p.heatOptions(), heatmap.FieldConfig{HideFrom: shown(), ScaleDistribution: &common.ScaleDistributionConfig{Type: common.ScaleDistributionLinear}}
	case lines:
		return logs.Options{
			ShowTime: true, WrapLogMessage: true, EnableLogDetails: true, ShowCommonLabels: false, PrettifyLogMessage: false,
			SortOrder: common.LogsSortOrderDescending, DedupStrategy: common.LogsDedupStrategyNone, EnableInfiniteScrolling: ptr(true),
		}, nil
	}
	return p.graphOptions(), p.graphFields()
}

func shown() *common.HideSeriesConfig { return &common.HideSeriesConfig{} }

func lastValue() common.ReduceDataOptions {
	return common.ReduceDataOptions{Values: ptr(false), Calcs: []string{"lastNotNull"}, Fields: ptr("")}
}

func (p panel) statOptions() gstat.Options {
	out := gstat.Options{
		GraphMode: common.BigValueGraphModeNone, ColorMode: common.BigValueColorModeNone, JustifyMode: common.BigValueJustifyModeAuto,
		TextMode: common.BigValueTextModeValue, ReduceOptions: lastValue(), PercentChangeColorMode: common.PercentChangeColorModeStandard,
		Orientation: common.VizOrientationAuto, WideLayout: true,
	}
	if p.spark {
		out.GraphMode = common.BigValueGraphModeArea
	}
	if len(p.steps) > 0 || len(p.values) > 0 {
		out.ColorMode = common.BigValueColorModeBackground
	}
	return out
}

// barOptions shows each series; Loki's answers are one table, of which it shows each
// row.
func (p panel) barOptions() bargauge.Options {
	reduce := lastValue()
	reduce.Values = ptr(p.targets[0].loki)
	return bargauge.Options{
		DisplayMode: common.BarGaugeDisplayModeBasic, ValueMode: common.BarGaugeValueModeText, NamePlacement: common.BarGaugeNamePlacementLeft,
		ShowUnfilled: true, Sizing: common.BarGaugeSizingManual, MinVizWidth: 8, MinVizHeight: 16, MaxVizHeight: 28,
		Text:          &common.VizTextDisplayOptions{TitleSize: ptr(13.0), ValueSize: ptr(14.0)},
		Legend:        common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: false, Calcs: []string{}},
		ReduceOptions: reduce, Orientation: common.VizOrientationHorizontal,
	}
}

func timelineOptions() statetimeline.Options {
	return statetimeline.Options{
		ShowValue: common.VisibilityModeNever, RowHeight: 0.85, MergeValues: ptr(true), AlignValue: ptr(common.TimelineValueAlignmentLeft),
		Legend:  common.VizLegendOptions{DisplayMode: common.LegendDisplayModeList, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{}},
		Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone},
	}
}

func (p panel) heatOptions() heatmap.Options {
	return heatmap.Options{
		Calculate: ptr(false),
		Color: heatmap.HeatmapColorOptions{
			Mode: ptr(heatmap.HeatmapColorModeScheme), Scheme: "Blues", Fill: "dark-blue", Scale: ptr(heatmap.HeatmapColorScaleExponential), Exponent: 0.5, Steps: 64,
		},
		FilterValues: &heatmap.FilterValueRange{Le: ptr(float32(1e-9))}, CellGap: ptr(uint8(1)),
		RowsFrame: &heatmap.RowsHeatmapOptions{Layout: ptr(common.HeatmapCellLayoutAuto)}, ShowValue: common.VisibilityModeNever,
		CellValues:    &heatmap.CellValues{Unit: ptr(requestsS.id), Decimals: ptr(float32(requestsS.decimals))},
		YAxis:         heatmap.YAxisConfig{Unit: ptr(p.unit.id), Decimals: ptr(float32(p.unit.decimals)), AxisPlacement: ptr(common.AxisPlacementLeft)},
		Legend:        heatmap.HeatmapLegend{Show: true},
		Tooltip:       heatmap.HeatmapTooltip{Mode: common.TooltipDisplayModeSingle, YHistogram: ptr(true), ShowColorScale: ptr(false)},
		Exemplars:     heatmap.ExemplarConfig{Color: "rgba(255,0,255,0.7)"},
		SelectionMode: ptr(heatmap.HeatmapSelectionModeX),
	}
}

func (p panel) graphOptions() timeseries.Options {
	legend := common.VizLegendOptions{
		DisplayMode: common.LegendDisplayModeTable, Placement: common.LegendPlacementBottom, ShowLegend: true, Calcs: []string{"lastNotNull", "max"},
		SortBy: ptr("Max"), SortDesc: ptr(true),
	}
	if p.w >= 11 { // below, it would hide most of its lines
		legend.Placement, legend.Width = common.LegendPlacementRight, ptr(300.0)
	}
	if p.columns {
		legend.Calcs, legend.SortBy = []string{"sum"}, ptr("Total")
	}
	if len(p.targets) == 1 && p.targets[0].legend != "" && p.targets[0].legend[0] != '{' { // one line needs no table
		legend.DisplayMode, legend.Calcs, legend.SortBy, legend.SortDesc = common.LegendDisplayModeList, []string{}, nil, nil
	}
	return timeseries.Options{Legend: legend, Tooltip: common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending, HideZeros: ptr(p.columns)}}
}

// leastAxis is how far axes reach at least: that of nothing but zeros would go to 100,
// which are 10 000 %.
var leastAxis = map[unit]float64{count: 1, share: 0.1, perSecond: 0.1, requestsS: 0.1, burns: 1}

func (p panel) graphFields() timeseries.FieldConfig {
	out := timeseries.FieldConfig{
		DrawStyle: ptr(common.GraphDrawStyleLine), LineInterpolation: ptr(common.LineInterpolationLinear), LineWidth: ptr(1.0), FillOpacity: ptr(8.0),
		GradientMode: ptr(common.GraphGradientModeNone), ShowPoints: ptr(common.VisibilityModeNever), PointSize: ptr(4.0),
		AxisPlacement: ptr(common.AxisPlacementAuto), AxisColorMode: ptr(common.AxisColorModeText), AxisLabel: ptr(""), AxisSoftMin: ptr(0.0), AxisBorderShow: ptr(false),
		ScaleDistribution: &common.ScaleDistributionConfig{Type: common.ScaleDistributionLinear},
		Stacking:          &common.StackingConfig{Mode: ptr(common.StackingModeNone), Group: ptr("A")},
		ThresholdsStyle:   &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeOff},
		HideFrom:          shown(), SpanNulls: &common.BoolOrFloat64{Bool: ptr(false)}, InsertNulls: &common.BoolOrFloat64{Bool: ptr(false)},
	}
	if least, ok := leastAxis[p.unit]; ok && p.top == nil {
		out.AxisSoftMax = &least
	}
	if p.stacked {
		out.Stacking.Mode, out.FillOpacity = ptr(common.StackingModeNormal), ptr(35.0)
	}
	if p.columns {
		out.DrawStyle, out.FillOpacity, out.LineWidth, out.BarAlignment = ptr(common.GraphDrawStyleBars), ptr(80.0), ptr(0.0), ptr(common.BarAlignmentBefore)
		out.Stacking.Mode = ptr(common.StackingModeNormal)
	}
	if p.limits {
		out.ThresholdsStyle.Mode = common.GraphThresholdsStyleModeDashed
	}
	return out
}
