package pages

import (
	"net/http"
	"slices"
	"strings"

	"github.com/pm25/pm25/internal/alertmanager"
)

// alertsView is the list of what Alertmanager has.
type alertsView struct {
	Summary   string
	Receivers []receiverView
	Silences  []silenceLine
	More      int
}

type receiverView struct {
	Name   string
	Alerts []alertView
	More   int
}

// maxList is how many alerts are listed for a receiver.
const maxList = 500

// alertList shows the alerts by who is told of them. Alertmanager's own links
// lead here; what they say behind the # never reaches a server.
func (p *Pages) alertList(w http.ResponseWriter, r *http.Request) {
	lang := chooseLanguage(w, r)
	told, err := p.opts.Alerts.Alerts(r.Context())
	if err != nil {
		p.fail(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	told = slices.DeleteFunc(told, func(a alertmanager.Alert) bool { return forMachines(a.Labels) })
	var v alertsView
	if v.Silences, v.More, err = p.silences(r, lang); err != nil {
		p.fail(w, r, http.StatusInternalServerError, err.Error())
		return
	}
	quiet := 0
	by := map[string][]firing{}
	for i, a := range told {
		if len(a.SilencedBy)+len(a.InhibitedBy) > 0 {
			quiet++
		}
		for _, name := range a.Receivers {
			by[name] = append(by[name], firing{Labels: a.Labels, Since: a.StartsAt, Told: &told[i]})
		}
	}
	if len(told) > 0 {
		v.Summary = lang.T("alerts.summary", len(told), quiet)
	}
	for name, alerts := range by {
		all := p.viewsOfAlerts(lang, alerts, p.opts.Now())
		shown := all[:min(len(all), maxList)]
		v.Receivers = append(v.Receivers, receiverView{Name: name, Alerts: shown, More: len(all) - len(shown)})
	}
	slices.SortFunc(v.Receivers, func(a, b receiverView) int { return strings.Compare(a.Name, b.Name) })
	p.show(w, r, http.StatusOK, "alerts", v)
}
