package dashboards

import (
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

type model = dashboard.Dashboard

const (
	schemaVersion = 42 // of the classic layout, which every Grafana since 9 takes
	width         = 24 // columns of the grid
	// columnWidth is the least that a column counts: narrower ones say nothing.
	columnWidth = "1m"
)

// datasources are chosen by variables.
var (
	prometheusSource = source("prometheus", "${datasource}")
	lokiSource       = source("loki", "${loki}")
)

func source(kind, uid string) *common.DataSourceRef {
	return &common.DataSourceRef{Type: &kind, Uid: &uid}
}

func (b board) build(o Options) (model, error) {
	from := b.from
	if from == "" {
		from = "now-1h"
	}
	m := model{
		Uid: &b.uid, Title: ptr("PM25 / " + b.title.in(o.Language)), Description: ptr(b.about.in(o.Language)),
		Tags: []string{"pm25"}, Timezone: ptr("browser"), Editable: ptr(false), GraphTooltip: ptr(dashboard.DashboardCursorSyncCrosshair),
		Time: &dashboard.DashboardDashboardTime{From: from, To: "now"}, Refresh: ptr("30s"), FiscalYearStartMonth: ptr(uint8(0)),
		Timepicker:    &dashboard.TimePickerConfig{RefreshIntervals: []string{"5s", "10s", "30s", "1m", "5m", "15m", "1h"}},
		SchemaVersion: schemaVersion, Version: ptr(uint32(1)), LiveNow: ptr(false), WeekStart: ptr(""),
		Links:       boardLinks(o, b),
		Annotations: dashboard.AnnotationContainer{List: annotationsOf(o, b.annotations)},
	}
	vars, err := variables(o, b.uid, b.variables)
	if err != nil {
		return model{}, err
	}
	m.Templating.List = vars
	err = b.place(o, &m)
	return m, err
}

// place lays the rows and panels out, and gives them ids that stay the same as long
// as their English titles do.
func (b board) place(o Options, m *model) error {
	var y uint32
	ids := map[uint32]string{}
	for _, r := range b.rows {
		id, err := stableID(ids, "row "+r.title.en)
		if err != nil {
			return err
		}
		band := dashboard.RowPanel{
			Type: "row", Title: ptr(r.title.in(o.Language)), Collapsed: r.collapsed, Id: id, Panels: []dashboard.Panel{},
			GridPos: &dashboard.GridPos{H: 1, W: width, X: 0, Y: y},
		}
		y++
		var placed []dashboard.Panel
		var x, high uint32
		for _, p := range r.panels {
			if p.w == 0 || p.h == 0 || p.w > width {
				return fmt.Errorf("panel %q: no size", p.title.en)
			}
			if x+p.w > width {
				x, y, high = 0, y+high, 0
			}
			one, err := p.build(o)
			if err != nil {
				return fmt.Errorf("panel %q: %w", p.title.en, err)
			}
			own, err := stableID(ids, p.title.en)
			if err != nil {
				return err
			}
			one.Id, one.GridPos = &own, &dashboard.GridPos{H: p.h, W: p.w, X: x, Y: y}
			placed = append(placed, one)
			x, high = x+p.w, max(high, p.h)
		}
		y += high
		if r.collapsed { // what is closed takes no room
			y = band.GridPos.Y + 1
			band.Panels, placed = placed, nil
		}
		m.Panels = append(m.Panels, dashboard.PanelOrRowPanel{RowPanel: &band})
		for i := range placed {
			m.Panels = append(m.Panels, dashboard.PanelOrRowPanel{Panel: &placed[i]})
		}
	}
	return nil
}

// stableID is a number for a title. Links to a single panel use it.
func stableID(taken map[uint32]string, title string) (uint32, error) {
	h := fnv.New32a()
	_, _ = h.Write([]byte(title)) // it never fails
	id := h.Sum32()%100_000 + 1
	if other, ok := taken[id]; ok {
		return 0, fmt.Errorf("panels %q and %q have the same id: change a title", other, title)
	}
	taken[id] = title
	return id, nil
}

// build makes the panel but for its id and place.
func (p panel) build(o Options) (dashboard.Panel, error) {
	if p.title.en == "" || p.about.en == "" || len(p.targets) == 0 {
		return dashboard.Panel{}, errors.New("no title, no description or no query")
	}
	targets, err := p.queries(o)
	if err != nil {
		return dashboard.Panel{}, err
	}
	options, custom := p.appearance(o)
	config := p.fieldConfig(o)
	config.Defaults.Custom = custom
	out := dashboard.Panel{
		Type: string(p.kind), Title: ptr(p.title.in(o.Language)), Description: ptr(p.about.in(o.Language)), Transparent: ptr(false),
		Datasource: prometheusSource, Targets: targets, Options: options, FieldConfig: &config,
	}
	if p.targets[0].loki {
		out.Datasource = lokiSource
	}
	switch p.kind {
	case table:
		out.Transformations = p.transformations(o)
	case graph, bars:
		out.Transformations = p.shorterNames()
	}
	switch {
	case p.columns:
		out.Interval = ptr(columnWidth)
	case p.kind == timeline || p.kind == heat:
		out.MaxDataPoints = ptr(240.0) // as many cells as a screen can tell apart
	}
	return out, nil
}

func ptr[T any](v T) *T { return &v }
