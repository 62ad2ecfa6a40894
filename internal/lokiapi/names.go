package lokiapi

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/sessionstore"
)

// lookBack is where labels and series begin if nothing is said, as in Loki.
const lookBack = 6 * time.Hour

// streams returns those of the request's time that match.
func (a *API) streams(r *http.Request, matchers []*labels.Matcher) ([]*sessionstore.Stream, error) {
	start, end, err := a.bounds(r.Form, lookBack)
	if err != nil {
		return nil, err
	}
	return a.o.Source.Streams(r.Context(), matchers, start.UnixNano(), end.UnixNano())
}

// labelNames lists the labels that streams have.
func (a *API) labelNames(r *http.Request) (*answer, error) {
	return a.listed(r, func(ls labels.Labels, add func(string)) {
		ls.Range(func(l labels.Label) { add(l.Name) })
	})
}

// labelValues lists the values of one label.
func (a *API) labelValues(r *http.Request) (*answer, error) {
	name := r.PathValue("name")
	return a.listed(r, func(ls labels.Labels, add func(string)) {
		if value := ls.Get(name); value != "" {
			add(value)
		}
	})
}

// listed answers with the different texts that pick adds for each stream.
func (a *API) listed(r *http.Request, pick func(ls labels.Labels, add func(string))) (*answer, error) {
	matchers, err := selector(r.Form)
	if err != nil {
		return nil, err
	}
	streams, err := a.streams(r, matchers)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	list := []string{}
	for _, s := range streams {
		pick(s.Labels, func(text string) {
			if !seen[text] {
				seen[text] = true
				list = append(list, text)
			}
		})
	}
	slices.Sort(list)
	return encode(map[string]any{"status": "success", "data": list})
}

// maxSelectors is how many match[] a request may have.
const maxSelectors = 100

// series lists the streams that match any of the selectors; all without one.
func (a *API) series(r *http.Request) (*answer, error) {
	selectors := slices.Concat(r.Form["match"], r.Form["match[]"])
	if len(selectors) > maxSelectors {
		return nil, badRequest("%d selectors, at most %d are read", len(selectors), maxSelectors)
	}
	if len(selectors) == 0 {
		selectors = []string{"{}"}
	}
	seen := map[int64]bool{}
	var found []labels.Labels
	for _, text := range selectors {
		matchers, err := logql.ParseSelector(text, strings.TrimSpace(text) == "{}")
		if err != nil {
			return nil, err
		}
		streams, err := a.streams(r, matchers)
		if err != nil {
			return nil, err
		}
		for _, s := range streams {
			if !seen[s.ID] {
				seen[s.ID] = true
				found = append(found, s.Labels)
			}
		}
	}
	slices.SortFunc(found, labels.Compare)
	data := make([]map[string]string, len(found))
	for i, ls := range found {
		data[i] = ls.Map()
	}
	return encode(map[string]any{"status": "success", "data": data})
}

type detectedLabel struct {
	Label       string `json:"label"`
	Cardinality int    `json:"cardinality"`
}

// detectedLabels counts the values of each label.
func (a *API) detectedLabels(r *http.Request) (*answer, error) {
	matchers, err := selector(r.Form)
	if err != nil {
		return nil, err
	}
	streams, err := a.streams(r, matchers)
	if err != nil {
		return nil, err
	}
	values := map[string]map[string]bool{}
	for _, s := range streams {
		s.Labels.Range(func(l labels.Label) {
			if values[l.Name] == nil {
				values[l.Name] = map[string]bool{}
			}
			values[l.Name][l.Value] = true
		})
	}
	list := []detectedLabel{}
	for name, of := range values {
		list = append(list, detectedLabel{name, len(of)})
	}
	slices.SortFunc(list, func(a, b detectedLabel) int { return cmp.Compare(a.Label, b.Label) })
	return encode(map[string]any{"detectedLabels": list})
}
