package dashboards

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/loki"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"

	"github.com/pm25/pm25/rules"
)

// TestGenerated: the committed files are what the package writes, none more, and
// twice the same.
func TestGenerated(t *testing.T) {
	for dir, o := range map[string]Options{"generated": english(), "generated/zh": chinese()} {
		all, err := All(o)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, b := range all {
			names = append(names, b.UID+".json")
			text, err := b.JSON()
			if err != nil {
				t.Fatal(err)
			}
			committed, err := os.ReadFile(filepath.Join(dir, b.UID+".json"))
			if err != nil || !bytes.Equal(committed, text) {
				t.Errorf("%s/%s.json is stale: make generate (%v)", dir, b.UID, err)
			}
		}
		slices.Sort(names)
		found, err := filepath.Glob(filepath.Join(dir, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for i := range found {
			found[i] = filepath.Base(found[i])
		}
		if !slices.Equal(found, names) {
			t.Errorf("%s holds %q, the boards are %q", dir, found, names)
		}
	}
}

// TestSchema: the JSON is what the SDK's types say, field by field: strictly read,
// valid, and nothing is lost on the way back.
func TestSchema(t *testing.T) {
	for _, o := range []Options{english(), chinese()} {
		for i, d := range read(t, o) {
			if err := d.Validate(); err != nil {
				t.Errorf("%s: %v", *d.Uid, err)
			}
			again, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			all, err := All(o)
			if err != nil {
				t.Fatal(err)
			}
			text, err := all[i].JSON()
			if err != nil {
				t.Fatal(err)
			}
			var before, after any
			if json.Unmarshal(text, &before) != nil || json.Unmarshal(again, &after) != nil {
				t.Fatal("no JSON")
			}
			a, _ := json.Marshal(before)
			b, _ := json.Marshal(after)
			if !bytes.Equal(a, b) {
				t.Errorf("%s: the SDK's types read something else than was written", *d.Uid)
			}
			for _, empty := range emptyEnumerations(before, *d.Uid) {
				t.Errorf("%s is the empty text, which is none of its values", empty)
			}
		}
	}
}

// emptyEnumerations finds settings that the SDK writes as "" when nobody sets them.
func emptyEnumerations(tree any, path string) (found []string) {
	switch tree := tree.(type) {
	case map[string]any:
		for key, v := range tree {
			if text, ok := v.(string); ok && text == "" && slices.Contains([]string{"mode", "sort", "sortOrder", "fill", "displayMode", "placement", "type", "graphMode", "colorMode", "textMode", "justifyMode", "orientation", "scheme", "align", "dedupStrategy"}, key) {
				found = append(found, path+"."+key)
			}
			found = append(found, emptyEnumerations(v, path+"."+key)...)
		}
	case []any:
		for _, v := range tree {
			found = append(found, emptyEnumerations(v, path+"[]")...)
		}
	}
	return found
}

// TestBoards holds what all boards have in common.
func TestBoards(t *testing.T) {
	var uids []string
	for i, d := range read(t, english()) {
		uid := *d.Uid
		uids = append(uids, uid)
		switch {
		case len(uid) > 40 || uid != titles[i].uid:
			t.Errorf("%s: the UID is not that of the list of titles", uid)
		case *d.Editable || d.Id != nil || !strings.HasPrefix(*d.Title, "PM25 / ") || *d.Description == "" || d.SchemaVersion != 42:
			t.Errorf("%s: editable, with an id, or without title, description or schema", uid)
		}
		for _, l := range d.Links {
			if l.Placement != nil || !l.IncludeVars && !strings.Contains(*l.Url, "var-host=") || !l.KeepTime {
				t.Errorf("%s: link %s is hidden, or drops variables or time", uid, l.Title)
			}
		}
		if len(toBoards(d)) != len(titles)-1 {
			t.Errorf("%s: %d links to other boards", uid, len(d.Links))
		}
		for _, a := range d.Annotations.List {
			if a.Placement != nil || a.Datasource == nil || a.Target == nil || !a.Enable {
				t.Errorf("%s: annotation %s is hidden or asks nothing", uid, a.Name)
			}
		}
		checkVariables(t, d)
	}
	slices.Sort(uids)
	if len(slices.Compact(uids)) != 8 {
		t.Errorf("boards %q", uids)
	}
}

// toBoards are the links of a board, but for the one to all hosts.
func toBoards(d dashboard.Dashboard) []dashboard.DashboardLink {
	return slices.DeleteFunc(slices.Clone(d.Links), func(l dashboard.DashboardLink) bool { return l.Title == "All hosts" })
}

func checkVariables(t *testing.T, d dashboard.Dashboard) {
	t.Helper()
	var names []string
	for _, v := range d.Templating.List {
		// What a variable asks for is chosen by those before it.
		for _, used := range usedVariables(jsonOf(t, v.Query)) {
			if !slices.Contains(names, used) {
				t.Errorf("%s: %s is chained to %s, which comes later or not at all", *d.Uid, v.Name, used)
			}
		}
		names = append(names, v.Name)
		if v.Type == dashboard.VariableTypeQuery && (v.Name != oneOf(*d.Uid) && (*v.AllValue != everything || !*v.IncludeAll) || v.Name == oneOf(*d.Uid) && *v.IncludeAll || !*v.Multi || *v.Datasource.Uid != "${datasource}" || *v.Refresh != dashboard.VariableRefreshOnTimeRangeChanged) {
			t.Errorf("%s: variable %s does not take all of several, or is not asked again", *d.Uid, v.Name)
		}
	}
	if want := []string{"datasource", "loki", "bucket", "host", "pm2_namespace", "app", "pm_id", "route"}; !slices.Equal(names, want) {
		t.Errorf("%s: variables %q", *d.Uid, names)
	}
	for _, used := range usedVariables(jsonOf(t, d)) {
		if !slices.Contains(names, used) {
			t.Errorf("%s: variable %s is used and not declared", *d.Uid, used)
		}
	}
}

var variable = regexp.MustCompile(`\$\{?([a-z_][a-z0-9_]*)`)

func usedVariables(text string) (names []string) {
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !strings.HasPrefix(m[1], "__") {
			names = append(names, m[1])
		}
	}
	return names
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestPanels holds what a linter of boards would: title, description, unit,
// decimals, data source, text for nothing, and legends.
func TestPanels(t *testing.T) {
	for _, d := range read(t, english()) {
		seen := map[uint32]bool{}
		for _, p := range panelsOf(d) {
			name := *d.Uid + " / " + *p.Title
			defaults := p.FieldConfig.Defaults
			switch {
			case p.Id == nil || *p.Id == 0 || seen[*p.Id]:
				t.Errorf("%s: no id of its own", name)
			case *p.Description == "" || !strings.HasSuffix(*p.Description, "."):
				t.Errorf("%s: no description, or no sentence", name)
			case *defaults.Unit == "" || defaults.Decimals == nil || *defaults.NoValue == "":
				t.Errorf("%s: no unit, decimals or text for nothing", name)
			case len(p.Targets) == 0:
				t.Errorf("%s: asks nothing", name)
			}
			seen[*p.Id] = true
			checkTargets(t, name, p)
			for _, l := range append(slices.Clone(defaults.Links), linksInOverrides(t, p)...) {
				checkLink(t, name, *l.Url)
			}
		}
	}
}

func checkTargets(t *testing.T, name string, p dashboard.Panel) {
	t.Helper()
	refs := map[string]bool{}
	for _, target := range p.Targets {
		var ref, uid, legend string
		switch target := target.(type) {
		case *prometheus.Dataquery:
			ref, uid, legend = *target.RefId, *target.Datasource.Uid, *target.LegendFormat
		case *loki.Dataquery:
			ref, uid, legend = *target.RefId, *target.Datasource.Uid, *target.LegendFormat
		}
		switch {
		case ref == "" || refs[ref]:
			t.Errorf("%s: query %q is there twice", name, ref)
		case uid != *p.Datasource.Uid || uid != "${datasource}" && uid != "${loki}":
			t.Errorf("%s: query %s asks %q", name, ref, uid)
		case legend == "" && slices.Contains([]kind{graph, bars, timeline}, kind(p.Type)):
			t.Errorf("%s: query %s has no legend", name, ref)
		}
		refs[ref] = true
	}
}

func linksInOverrides(t *testing.T, p dashboard.Panel) (all []dashboard.DashboardLink) {
	t.Helper()
	for _, o := range p.FieldConfig.Overrides {
		for _, property := range o.Properties {
			if property.Id != "links" {
				continue
			}
			var links []dashboard.DashboardLink
			if err := json.Unmarshal([]byte(jsonOf(t, property.Value)), &links); err != nil {
				t.Fatal(err)
			}
			all = append(all, links...)
		}
	}
	return all
}

// checkLink: it leads to a board that there is, with data sources, variables and time.
func checkLink(t *testing.T, name, address string) {
	t.Helper()
	uid, query, _ := strings.Cut(strings.TrimPrefix(address, "/d/"), "?")
	if titleOf(uid).en == "" {
		t.Errorf("%s: a link to %q", name, uid)
	}
	for _, want := range []string{"${datasource:queryparam}", "${loki:queryparam}", "${bucket:queryparam}", "app", "${__url_time_range}"} {
		if !strings.Contains(query, want) {
			t.Errorf("%s: the link to %s does not carry %s", name, uid, want)
		}
	}
}

// TestGrid: panels fill each row from left to right, are of one height in it, do not
// overlap, and ids of rows and panels are different.
func TestGrid(t *testing.T) {
	for _, d := range read(t, english()) {
		cells, ids := map[[2]uint32]string{}, map[uint32]string{}
		place := func(title string, id uint32, pos dashboard.GridPos) {
			if other, ok := ids[id]; ok {
				t.Errorf("%s: %q and %q have the same id", *d.Uid, title, other)
			}
			ids[id] = title
			for x := pos.X; x < pos.X+pos.W; x++ {
				for y := pos.Y; y < pos.Y+pos.H; y++ {
					if other, ok := cells[[2]uint32{x, y}]; ok {
						t.Fatalf("%s: %q overlaps %q", *d.Uid, title, other)
					}
					cells[[2]uint32{x, y}] = title
				}
			}
		}
		bottom := uint32(0)
		for _, p := range d.Panels {
			inside := []dashboard.Panel{}
			if p.Panel != nil {
				inside = append(inside, *p.Panel)
			} else {
				place("row "+*p.RowPanel.Title, p.RowPanel.Id, *p.RowPanel.GridPos)
				for _, closed := range p.RowPanel.Panels { // opened, it moves what is below
					if closed.GridPos.Y <= p.RowPanel.GridPos.Y {
						t.Errorf("%s: %q is above its row", *d.Uid, *closed.Title)
					}
				}
				bottom = max(bottom, p.RowPanel.GridPos.Y+1)
			}
			for _, one := range inside {
				place(*one.Title, *one.Id, *one.GridPos)
				bottom = max(bottom, one.GridPos.Y+one.GridPos.H)
			}
		}
		for y := range bottom {
			for x := range uint32(width) {
				if cells[[2]uint32{x, y}] == "" {
					t.Fatalf("%s: a hole at column %d, line %d", *d.Uid, x, y)
				}
			}
		}
	}
}

// TestLanguages: boards differ in words alone, and every text has both.
func TestLanguages(t *testing.T) {
	letters := regexp.MustCompile(`\p{Han}`)
	en, zh := read(t, english()), read(t, chinese())
	for i := range en {
		a, b := panelsOf(en[i]), panelsOf(zh[i])
		if len(a) != len(b) || letters.MatchString(jsonOf(t, a[0].Title)) {
			t.Fatalf("%s: other panels", *en[i].Uid)
		}
		for j := range a {
			if *a[j].Id != *b[j].Id || jsonOf(t, a[j].GridPos) != jsonOf(t, b[j].GridPos) {
				t.Errorf("%s / %s: another id or place in Chinese", *en[i].Uid, *a[j].Title)
			}
			if letters.MatchString(*a[j].Title+*a[j].Description+*a[j].FieldConfig.Defaults.NoValue) || !letters.MatchString(*b[j].Description) || !letters.MatchString(*b[j].FieldConfig.Defaults.NoValue) {
				t.Errorf("%s / %s: a text is not in its language", *en[i].Uid, *a[j].Title)
			}
		}
	}
}

// TestThresholdsAreThoseOfRules: what a team sets for its rules is what boards draw.
func TestThresholdsAreThoseOfRules(t *testing.T) {
	o := english()
	if o.Thresholds.RouteWarnSeconds != 0.6 || o.Thresholds.RouteSlowSeconds != 1 {
		t.Errorf("routes turn orange at %v and red at %v", o.Thresholds.RouteWarnSeconds, o.Thresholds.RouteSlowSeconds)
	}
	o.Thresholds.RouteSlowSeconds = 1.2345
	o.Job = "nodes"
	for _, uid := range []string{fleetUID, appUID, routesUID} {
		for _, d := range read(t, o) {
			if *d.Uid == uid && (!strings.Contains(jsonOf(t, d), "1.2345") || strings.Contains(jsonOf(t, d), `job=\"pm2\"`)) {
				t.Errorf("%s: does not follow the options", uid)
			}
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, change := range map[string]func(*Options){
		"language":   func(o *Options) { o.Language = "fr" },
		"job":        func(o *Options) { o.Job = "" },
		"thresholds": func(o *Options) { o.Thresholds = rules.Thresholds{} },
	} {
		o := english()
		change(&o)
		if _, err := All(o); err == nil {
			t.Errorf("took options with a bad %s", name)
		}
	}
}

// TestLinkToPM25 is there only where people can follow it.
func TestLinkToPM25(t *testing.T) {
	o := english()
	o.PM25URL = "https://pm25.example.com/"
	for _, d := range read(t, o) {
		links := toBoards(d)
		last := links[len(links)-1]
		if *last.Url != "https://pm25.example.com/exceptions" || len(links) != len(titles) {
			t.Errorf("%s: links to %s", *d.Uid, *last.Url)
		}
	}
}
