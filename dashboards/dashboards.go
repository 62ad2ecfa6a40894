// Package dashboards holds PM25's Grafana boards as Go values, and writes them as
// the JSON that Grafana provisions.
//
// Queries are plain PromQL and LogQL text in the file of their board. Tests hold
// that each parses, names only what the catalog holds, answers within a budget of
// series, and shows something in the scenario that its panel is for. Nothing here
// asks Grafana: that its importer takes the JSON is judged by the types of its own
// SDK.
package dashboards

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/pm25/pm25/rules"
)

//go:generate go run ./gen generated

// Options of the boards.
type Options struct {
	Language   string           // rules.English or rules.Chinese
	Thresholds rules.Thresholds // where green turns orange and red
	Job        string           // scrape job of the agents
	ServerJob  string           // scrape job of PM25's server
	// Native asks for native histograms of requests, as the rules then record them,
	// in place of classic buckets.
	Native bool
	// PM25URL is where people reach PM25, for links to its page of exceptions;
	// empty: no such links.
	PM25URL string
	// RunbookURL is where runbooks are, each below its alert's name; empty: alerts
	// have no such links.
	RunbookURL string
}

// For are the options that go with a configuration of rules; in English where it
// names no language.
func For(c rules.Config) Options {
	runbooks := c.RunbookURL
	if runbooks == "" && c.PM25URL != "" {
		runbooks = strings.TrimSuffix(c.PM25URL, "/") + "/runbooks"
	}
	return Options{
		Language: cmp.Or(c.Language, rules.English), Thresholds: c.Thresholds, Job: c.Job, ServerJob: c.ServerJob, Native: c.Native, PM25URL: c.PM25URL, RunbookURL: runbooks,
	}
}

func (o Options) validate() error {
	switch {
	case o.Language != rules.English && o.Language != rules.Chinese:
		return fmt.Errorf("dashboards: the language is %q: it has to be en or zh", o.Language)
	case o.Job == "" || o.ServerJob == "":
		return errors.New("dashboards: the scrape jobs of agents and of the server have to be named")
	case o.Thresholds == rules.Thresholds{}:
		return errors.New("dashboards: no thresholds")
	}
	return nil
}

// Board is one dashboard.
type Board struct {
	UID   string // stable: links from alerts name it
	Title string
	model model
}

// All returns the boards in the order in which they link to each other.
func All(o Options) ([]Board, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	var all []Board
	for _, b := range boards(o) {
		m, err := b.build(o)
		if err != nil {
			return nil, fmt.Errorf("dashboards: %s: %w", b.uid, err)
		}
		all = append(all, Board{UID: b.uid, Title: b.title.in(o.Language), model: m})
	}
	return all, nil
}

func boards(o Options) []board {
	return []board{fleet(o), host(o), application(o), process(o), routes(o), exceptions(o), alerts(o), self(o)}
}

// JSON is the board as Grafana reads it from a file; the same Options give the same
// bytes.
func (b Board) JSON() ([]byte, error) {
	raw, err := json.Marshal(b.model)
	if err != nil {
		return nil, fmt.Errorf("dashboards: %s: %w", b.UID, err)
	}
	// Once more, so that queries stay readable: the SDK's types escape < and >.
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, fmt.Errorf("dashboards: %s: %w", b.UID, err)
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(tree); err != nil {
		return nil, fmt.Errorf("dashboards: %s: %w", b.UID, err)
	}
	return out.Bytes(), nil
}
