package lokiapi

import (
	"cmp"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
)

// indexStats says how much a selector would read.
func (a *API) indexStats(r *http.Request) (*answer, error) {
	matchers, err := selector(r.Form)
	if err != nil {
		return nil, err
	}
	start, end, err := a.bounds(r.Form, lookBack)
	if err != nil {
		return nil, err
	}
	v, err := a.o.Source.Volume(r.Context(), matchers, start.UnixNano(), end.UnixNano())
	if err != nil {
		return nil, err
	}
	// Nothing is kept in chunks; each stream counts as one, for those who divide.
	return encode(map[string]int64{"streams": v.Streams, "chunks": v.Streams, "bytes": v.Bytes, "entries": v.Entries})
}

// maxVolumes is for how many sets of labels the volume is counted.
const maxVolumes = 500

// volume says how many bytes there are for each value of the target labels, or,
// aggregated by labels, for each label.
func (a *API) volume(r *http.Request) (*answer, error) {
	matchers, err := logql.ParseSelector(r.Form.Get("query"), true)
	if err != nil {
		return nil, err
	}
	start, end, err := a.bounds(r.Form, lookBack)
	if err != nil {
		return nil, err
	}
	limit, err := a.lines(r.Form)
	if err != nil {
		return nil, err
	}
	streams, err := a.streams(r, matchers)
	if err != nil {
		return nil, err
	}
	byLabels := r.Form.Get("aggregateBy") == "labels"
	groups := map[string]*volumeGroup{}
	for _, s := range streams {
		for _, g := range volumeGroups(s.Labels, targets(r.Form.Get("targetLabels"), matchers, s.Labels), byLabels) {
			groups[g.labels.String()] = g
		}
	}
	if len(groups) > maxVolumes {
		return nil, badRequest("the volume of more than %d sets of labels: name fewer targetLabels", maxVolumes)
	}
	result := &logql.Result{Type: logql.Vector, Series: []logql.Series{}}
	for _, g := range groups {
		v, err := a.o.Source.Volume(r.Context(), slices.Concat(matchers, g.matchers), start.UnixNano(), end.UnixNano())
		if err != nil {
			return nil, err
		}
		result.Series = append(result.Series, logql.Series{Labels: g.labels, Points: []logql.Point{{At: end.UnixNano(), Value: float64(v.Bytes)}}})
	}
	slices.SortFunc(result.Series, func(a, b logql.Series) int {
		return cmp.Or(cmp.Compare(b.Points[0].Value, a.Points[0].Value), labels.Compare(a.Labels, b.Labels))
	})
	result.Series = result.Series[:min(limit, len(result.Series))]
	return a.result(r, result, nil)
}

type volumeGroup struct {
	labels   labels.Labels
	matchers []*labels.Matcher
}

// targets are the labels that volumes are counted by: those that were asked for,
// else those of the selector, else all.
func targets(asked string, matchers []*labels.Matcher, all labels.Labels) []string {
	var out []string
	for name := range strings.SplitSeq(asked, ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		for _, m := range matchers {
			out = append(out, m.Name)
		}
	}
	if len(out) == 0 {
		all.Range(func(l labels.Label) { out = append(out, l.Name) })
	}
	return out
}

func volumeGroups(ls labels.Labels, names []string, byLabels bool) []*volumeGroup {
	whole := &volumeGroup{}
	b := labels.NewBuilder(labels.EmptyLabels())
	var each []*volumeGroup
	for _, name := range names {
		value := ls.Get(name)
		whole.matchers = append(whole.matchers, labels.MustNewMatcher(labels.MatchEqual, name, value))
		if value == "" {
			continue
		}
		b.Set(name, value)
		each = append(each, &volumeGroup{
			labels:   labels.FromStrings(name, ""),
			matchers: []*labels.Matcher{labels.MustNewMatcher(labels.MatchNotEqual, name, "")},
		})
	}
	if byLabels {
		return each
	}
	whole.labels = b.Labels()
	return []*volumeGroup{whole}
}

// volumeRange, patterns and the detected fields are empty: Grafana asks for them
// and works without.
func (a *API) volumeRange(r *http.Request) (*answer, error) {
	if _, err := logql.ParseSelector(r.Form.Get("query"), true); err != nil {
		return nil, err
	}
	return a.result(r, &logql.Result{Type: logql.Matrix}, nil)
}

func (*API) patterns(*http.Request) (*answer, error) {
	return encode(map[string]any{"status": "success", "data": []string{}})
}

func (a *API) detectedFields(r *http.Request) (*answer, error) {
	limit, err := a.lines(r.Form)
	if err != nil {
		return nil, err
	}
	return encode(map[string]any{"fields": []string{}, "limit": limit})
}

func (a *API) detectedFieldValues(r *http.Request) (*answer, error) {
	limit, err := a.lines(r.Form)
	if err != nil {
		return nil, err
	}
	return encode(map[string]any{"values": []string{}, "limit": limit})
}

// lokiVersion is the Loki whose API this is.
const lokiVersion = "3.7.8"

func (a *API) buildInfo(*http.Request) (*answer, error) {
	return encode(map[string]string{
		"version": lokiVersion, "revision": a.o.Version, "branch": "pm25", "buildUser": "", "buildDate": "", "goVersion": runtime.Version(),
	})
}

// drilldownLimits says what Grafana's log drilldown may ask for.
func (a *API) drilldownLimits(*http.Request) (*answer, error) {
	l := a.engine.Limits()
	return encode(map[string]any{
		"limits": map[string]any{
			"max_entries_limit_per_query": a.o.MaxLines,
			"max_query_series":            l.MaxSeries,
			"max_query_length":            l.MaxRange.String(),
			"query_timeout":               l.Timeout.String(),
			"discover_log_levels":         false,
			"volume_enabled":              true,
			"volume_max_series":           strconv.Itoa(maxVolumes),
		},
		"pattern_ingester_enabled": false,
		"version":                  lokiVersion,
	})
}
