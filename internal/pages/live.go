package pages

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// A page shows at most so much, however much there is.
const (
	maxAlerts  = 20
	maxHosts   = 100
	maxRows    = 500
	maxOpen    = 20
	calmHosts  = 6 // more than so many that are well are folded
	maxMessage = 300
)

// liveView is the live page.
type liveView struct {
	Query, Host       string
	Clear             string // link to the page without a filter
	Updated           string
	HostsUp, HostsAll int
	Apps              int
	Online, All       int
	Shown             int // processes, after the filter
	Restarts          int
	Alerts            []alertView
	Loud, Silenced    int // alerts
	MoreAlerts        int
	Announce          string     // what a screen reader says when it changes
	FirstHosts        []hostView // those to look at
	Hosts             []hostView // that are well
	FoldHosts         bool
	MoreHosts         int
	Rows              []rowView
	MoreRows          int
	None              bool // no process is known
	Versions, Spaces  bool // which columns there are
	Daemons, Several  bool
	Latest            *latest
}

type hostView struct {
	Name, Link, Text string
	Bad, Chosen      bool
	Daemons          []string
}

func (p *Pages) live(w http.ResponseWriter, r *http.Request) {
	snap := p.snapshot(r.Context())
	lang := chooseLanguage(w, r)
	view := p.viewOf(lang, snap, requestOf(r.URL.Query()))
	view.Latest = p.latest(r.Context(), lang)
	var more []Notice
	for _, e := range snap.Errors {
		if len(e) > maxMessage {
			e = strings.ToValidUTF8(e[:maxMessage], "") + "…"
		}
		more = append(more, Notice{Message: "notice.query", Args: []any{e}, Warning: true})
	}
	p.show(w, r, http.StatusOK, "live", view, more...)
}

// liveRequest is what a reader asks of the live page.
type liveRequest struct {
	Filter, Host, Lang string
	Open               []string // groups
}

func requestOf(q url.Values) liveRequest {
	open := q["open"]
	return liveRequest{Filter: strings.TrimSpace(q.Get("q")), Host: q.Get("host"), Lang: q.Get("lang"), Open: open[:min(len(open), maxOpen)]}
}

func (r liveRequest) link() string {
	q := url.Values{}
	for name, value := range map[string]string{"q": r.Filter, "host": r.Host, "lang": r.Lang} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if len(r.Open) > 0 {
		q["open"] = r.Open
	}
	if len(q) == 0 {
		return "/"
	}
	return "/?" + q.Encode()
}

// toggle is the link that opens a group, or closes it.
func (r liveRequest) toggle(id string) string {
	if slices.Contains(r.Open, id) {
		r.Open = slices.DeleteFunc(slices.Clone(r.Open), func(o string) bool { return o == id })
	} else {
		r.Open = append(slices.Clone(r.Open), id)
	}
	return r.link()
}

// viewOf turns a snapshot into what the page says.
func (p *Pages) viewOf(lang language, snap snapshot, ask liveRequest) liveView {
	v := liveView{
		Query: ask.Filter, Host: ask.Host, Clear: liveRequest{Lang: ask.Lang}.link(), Updated: clock(snap.At),
		None: len(snap.Processes) == 0 && len(snap.Errors) == 0,
	}
	v.count(snap)
	v.addAlerts(lang, p.viewsOfAlerts(lang, snap.Alerts, snap.At))
	v.addHosts(lang, snap, ask)
	var shown []process
	for _, p := range snap.Processes {
		if (ask.Host == "" || p.Daemon.Host == ask.Host) && p.matches(lang, ask.Filter) {
			shown = append(shown, p)
		}
	}
	v.Shown = len(shown)
	for _, g := range groupsOf(shown) {
		v.addGroup(lang, g, snap.At, ask)
	}
	return v
}

// count makes the summary, and decides which columns tell something.
func (v *liveView) count(snap snapshot) {
	type app struct{ daemon, namespace, name string }
	apps := map[app]bool{}
	daemons := map[string]map[string]bool{} // by host
	v.HostsAll, v.Several = len(snap.Hosts), len(snap.Hosts) > 1
	for _, h := range snap.Hosts {
		if h.Up {
			v.HostsUp++
		}
	}
	for _, p := range snap.Processes {
		v.All++
		if p.State == "online" && p.Seen.IsZero() {
			v.Online++
		}
		v.Restarts += int(p.Restarts)
		apps[app{p.Daemon.Name, p.Namespace, p.App}] = true
		if daemons[p.Daemon.Host] == nil {
			daemons[p.Daemon.Host] = map[string]bool{}
		}
		daemons[p.Daemon.Host][p.Daemon.Name] = true
		v.Daemons = v.Daemons || len(daemons[p.Daemon.Host]) > 1
		v.Versions = v.Versions || version(p) != ""
		v.Spaces = v.Spaces || p.Namespace != "default"
	}
	v.Apps = len(apps)
}

func (v *liveView) addAlerts(lang language, all []alertView) {
	var names []string
	for _, a := range all {
		switch {
		case a.Silenced || a.Inhibited:
			v.Silenced++
		default:
			v.Loud++
			names = append(names, strings.TrimSpace(a.Name+" "+a.Where))
		}
	}
	v.Alerts = all[:min(len(all), maxAlerts)]
	v.MoreAlerts = len(all) - len(v.Alerts)
	v.Announce = strings.TrimSpace(lang.T("announce", v.Loud, strings.Join(names[:min(len(names), 5)], "; ")))
}

func (v *liveView) addHosts(lang language, snap snapshot, ask liveRequest) {
	for _, h := range snap.Hosts {
		hv := hostView{Name: h.Name, Bad: !h.Up || len(h.Down) > 0, Chosen: h.Name == ask.Host}
		hv.Link = liveRequest{Host: h.Name, Lang: ask.Lang}.link()
		if hv.Chosen {
			hv.Link = v.Clear
		}
		switch {
		case !h.Up && h.Seen.IsZero():
			hv.Text = lang.T("host.never")
		case !h.Up:
			hv.Text = lang.T("host.gone", lang.Duration(snap.At.Sub(h.Seen)))
		default:
			hv.Text = hostFigures(lang, h)
			for _, d := range h.Down {
				text := lang.T("daemon.never", d.Name)
				if !d.Seen.IsZero() {
					text = lang.T("daemon.down", d.Name, lang.Duration(snap.At.Sub(d.Seen)))
				}
				hv.Daemons = append(hv.Daemons, text)
			}
			if h.Daemons+len(h.Down) == 0 {
				hv.Daemons = []string{lang.T("host.empty")}
			}
		}
		if hv.Bad || hv.Chosen {
			v.FirstHosts = append(v.FirstHosts, hv)
		} else {
			v.Hosts = append(v.Hosts, hv)
		}
	}
	if all := len(v.FirstHosts) + len(v.Hosts); all > maxHosts {
		v.MoreHosts = all - maxHosts
		v.FirstHosts = v.FirstHosts[:min(len(v.FirstHosts), maxHosts)]
		v.Hosts = v.Hosts[:min(len(v.Hosts), maxHosts-len(v.FirstHosts))]
	}
	v.FoldHosts = len(v.Hosts) > calmHosts
}

func hostFigures(lang language, h host) string {
	var parts []string
	if h.CPUs > 0 {
		parts = append(parts, fmt.Sprintf("%s %.1f/%.0f", lang.T("load"), h.Load, h.CPUs))
	}
	if h.MemoryUsed > 0 {
		parts = append(parts, lang.T("memory.used")+" "+percent(h.MemoryUsed))
	}
	if h.DiskUsed > 0 {
		parts = append(parts, lang.T("disk.used")+" "+percent(h.DiskUsed))
	}
	return strings.Join(parts, " · ")
}

// matches tells whether all words of a filter occur in what is known of a
// process. States are found by PM2's word, and by that of the page.
func (p process) matches(lang language, filter string) bool {
	if filter == "" {
		return true
	}
	known := []string{p.App, p.Namespace, p.Daemon.Host, p.Daemon.Name, p.State, lang.T("state." + p.State), p.Mode, p.Version, p.ID}
	if p.condition() == looping {
		known = append(known, "crash loop", lang.T("state.looping"))
	}
	text := strings.ToLower(strings.Join(known, "\n"))
	for word := range strings.FieldsSeq(strings.ToLower(filter)) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}
