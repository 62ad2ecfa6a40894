package pages

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// rowView is a group, or one process of a group that is open.
type rowView struct {
	Class                   string // bad, warn, gone, off or nothing
	Worker, NameWorker      bool
	App, Namespace, Daemon  string
	Host, IDs, Mode         string
	Count                   int
	Toggle, ID              string // link that opens or closes a group
	Open                    bool
	State, StateText, Seen  string
	Restarts                int
	Causes                  []causeView
	Uptime, CPU, ChildCPU   string
	Memory, Children        string
	Version                 string
	ToggleLabel, HostsTitle string
}

type causeView struct {
	Text string
	N    int
	Bad  bool
}

// addGroup adds the line of a group and, if it is open, those of its processes.
func (v *liveView) addGroup(lang language, g group, now time.Time, ask liveRequest) {
	if len(v.Rows) >= maxRows {
		v.MoreRows++
		return
	}
	row := viewOfGroup(lang, g, now)
	many := len(g.Processes) > 1
	if many {
		row.Toggle, row.Open = ask.toggle(row.ID), slices.Contains(ask.Open, row.ID)
		row.ToggleLabel = lang.T("open", row.App)
		if row.Open {
			row.ToggleLabel = lang.T("close", row.App)
		}
	}
	v.Rows = append(v.Rows, row)
	if !row.Open {
		return
	}
	for _, p := range g.Processes[:min(len(g.Processes), maxRows-len(v.Rows))] {
		one := viewOfGroup(lang, group{groupKey: g.groupKey, Processes: []process{p}}, now)
		one.Worker, one.NameWorker = true, g.App == ""
		one.App, one.Namespace = p.App, p.Namespace
		one.Seen = "" // said once
		v.Rows = append(v.Rows, one)
	}
}

// classes are how rows look.
var classes = map[condition]string{
	errored: "bad", looping: "bad", waiting: "bad", gone: "gone", goneCalmly: "gone",
	fallen: "warn", moving: "warn", restarted: "warn", stopped: "off",
}

func viewOfGroup(lang language, g group, now time.Time) rowView {
	first := g.Processes[0]
	v := rowView{
		Class: classes[g.Condition], App: g.App, Namespace: g.Namespace, Daemon: g.Daemon, ID: g.id(), Count: len(g.Processes),
		Mode:  strings.Join(g.distinct(func(p process) string { return strings.TrimSuffix(p.Mode, "_mode") }), ", "),
		State: first.State, StateText: lang.T("state." + first.State), Restarts: int(g.sum(func(p process) float64 { return p.Restarts })),
		Version: few(g.distinct(version)),
	}
	if v.hostsAndIDs(lang, g); g.App == "" && v.Count > 1 {
		apps := g.distinct(func(p process) string { return p.App })
		v.App, v.Namespace, v.IDs, v.Version = lang.T("apps.n", len(apps)), "default", "", ""
		v.State, v.StateText = "unseen", lang.T("state.unseen")
	}
	if g.Condition == looping {
		v.State, v.StateText = "looping", lang.T("state.looping")
	}
	end := now
	if !first.Seen.IsZero() {
		end = first.Seen
		v.Seen = lang.T("host.gone", lang.Duration(now.Sub(first.Seen)))
	}
	v.Causes = causes(lang, g.Exits)
	if started, mixed := g.youngest(); !started.IsZero() {
		v.Uptime = lang.Duration(end.Sub(started))
		if mixed {
			v.Uptime = "≥ " + v.Uptime
		}
		v.CPU = percent(g.sum(func(p process) float64 { return p.CPU }))
		v.Memory = memoryText(g.sum(func(p process) float64 { return p.Memory }))
		v.Children = memoryText(g.sum(func(p process) float64 { return p.Children }))
		if c := g.sum(func(p process) float64 { return p.ChildCPU }); c >= 0.0005 {
			v.ChildCPU = percent(c)
		}
	}
	return v
}

func (v *rowView) hostsAndIDs(lang language, g group) {
	hosts := g.distinct(func(p process) string { return p.Daemon.Host })
	v.HostsTitle = strings.Join(hosts[:min(len(hosts), maxHosts)], ", ")
	if len(hosts) > 1 {
		v.Host = lang.T("hosts.n", len(hosts))
		return // an id means nothing without its host
	}
	v.Host = strings.Join(hosts, "")
	var ids []string
	for _, p := range g.Processes {
		ids = append(ids, p.ID)
	}
	v.IDs = span(ids)
}

// causes lists reasons of ends, those that nobody asked for first.
func causes(lang language, exits map[string]float64) []causeView {
	var bad, calm []causeView
	for _, reason := range slices.Sorted(maps.Keys(exits)) {
		c := causeView{Text: lang.T("reason." + reason), N: int(exits[reason]), Bad: slices.Contains(crashReasons, reason)}
		if c.Bad {
			bad = append(bad, c)
		} else {
			calm = append(calm, c)
		}
	}
	return append(bad, calm...)
}

// version is that of an app; PM2 says N/A where there is none.
func version(p process) string {
	if p.Version == "N/A" {
		return ""
	}
	return p.Version
}

// few writes at most two values.
func few(values []string) string {
	if len(values) > 2 {
		return fmt.Sprintf("%s … %s", values[0], values[len(values)-1])
	}
	return strings.Join(values, ", ")
}
