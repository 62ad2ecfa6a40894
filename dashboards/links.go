package dashboards

import (
	"slices"
	"strings"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

// The boards by their UIDs, which alerts link to, in the order of their links.
const (
	fleetUID      = "pm25-fleet"
	hostUID       = "pm25-host"
	appUID        = "pm25-app"
	processUID    = "pm25-process"
	routesUID     = "pm25-routes"
	exceptionsUID = "pm25-exceptions"
	alertsUID     = "pm25-alerts"
	selfUID       = "pm25-self"
)

var titles = []struct {
	uid   string
	title text
}{
	{fleetUID, text{"Fleet", "总览"}},
	{hostUID, text{"Host", "主机"}},
	{appUID, text{"Application", "应用"}},
	{processUID, text{"Process", "进程"}},
	{routesUID, text{"HTTP routes", "HTTP 路由"}},
	{exceptionsUID, text{"Exceptions & events", "异常与事件"}},
	{alertsUID, text{"Alerts & SLO", "告警与 SLO"}},
	{selfUID, text{"PM25 itself", "PM25 自身"}},
}

func titleOf(uid string) text {
	for _, t := range titles {
		if t.uid == uid {
			return t.title
		}
	}
	return text{}
}

// boardLinks lead to the other boards, with what is chosen and the time. Alerts link
// to the host that they are of: one more leads to the same board of all hosts.
func boardLinks(o Options, from board) []dashboard.DashboardLink {
	var out []dashboard.DashboardLink
	if oneOf(from.uid) != "host" && slices.Contains(from.variables, "host") {
		out = append(out, dashboard.DashboardLink{
			Title: text{"All hosts", "所有主机"}.in(o.Language), Type: dashboard.DashboardLinkTypeLink, Icon: "cloud", Url: ptr(onAllHosts(from.uid)), Tags: []string{},
			Tooltip: text{"The same, on all hosts", "同样的内容，所有主机"}.in(o.Language), KeepTime: true,
		})
	}
	for _, t := range titles {
		if t.uid != from.uid {
			out = append(out, dashboard.DashboardLink{
				Title: t.title.in(o.Language), Type: dashboard.DashboardLinkTypeLink, Icon: "dashboard", Url: ptr("/d/" + t.uid), Tags: []string{},
				IncludeVars: true, KeepTime: true,
			})
		}
	}
	if o.PM25URL != "" {
		out = append(out, dashboard.DashboardLink{
			Title: text{"Exceptions in PM25", "PM25 中的异常"}.in(o.Language), Type: dashboard.DashboardLinkTypeLink, Icon: "external link",
			Url: ptr(strings.TrimSuffix(o.PM25URL, "/") + "/exceptions"), Tags: []string{}, TargetBlank: true,
		})
	}
	return out
}

// onAllHosts is the board with all that is chosen but the host.
func onAllHosts(uid string) string {
	address := "/d/" + uid + "?${datasource:queryparam}&${loki:queryparam}"
	for _, q := range variableQueries {
		if q.name == "host" {
			address += "&var-host=%24__all" // encoded: it is no variable
		} else {
			address += "&${" + q.name + ":queryparam}"
		}
	}
	return address
}

// dataLinks lead from a value to a board about it: its labels become variables,
// what it has no label for stays as it is chosen.
func dataLinks(o Options, links []link, row bool) []dashboard.DashboardLink {
	var out []dashboard.DashboardLink
	for _, l := range links {
		address := l.url
		if address == "" {
			address = "/d/" + l.board + "?${datasource:queryparam}&${loki:queryparam}"
			for _, name := range variableLabels {
				address += "&" + l.variable(name, row)
			}
			address += "&${__url_time_range}"
		}
		out = append(out, dashboard.DashboardLink{Title: l.title.in(o.Language), Type: dashboard.DashboardLinkTypeLink, Url: &address, Tags: []string{}})
	}
	return out
}

// variable passes on one variable. Of a row of a table the labels are fields.
func (l link) variable(name string, row bool) string {
	for _, set := range l.set {
		if set == name && row {
			return "var-" + name + "=${__data.fields." + name + ":percentencode}"
		}
		if set == name {
			return "var-" + name + "=${__field.labels." + name + ":percentencode}"
		}
	}
	return "${" + name + ":queryparam}"
}

// Links from rows and series. Those that set the host are for where there is that
// label: a label that is absent would be passed on as the text of the link.
func toHost() link {
	return link{title: titleOf(hostUID), board: hostUID, set: []string{"host"}}
}

func toApp() link {
	return link{title: titleOf(appUID), board: appUID, set: []string{"pm2_namespace", "app"}}
}

func toAppOnHost() link {
	return link{title: text{"Application, this host", "应用（此主机）"}, board: appUID, set: []string{"host", "pm2_namespace", "app"}}
}

func toProcess() link {
	return link{title: titleOf(processUID), board: processUID, set: []string{"pm2_namespace", "app", "pm_id"}}
}

func toProcessOnHost() link {
	return link{title: text{"Process, this host", "进程（此主机）"}, board: processUID, set: []string{"host", "pm2_namespace", "app", "pm_id"}}
}

func toRoutes() link {
	return link{title: titleOf(routesUID), board: routesUID, set: []string{"pm2_namespace", "app"}}
}

func toExceptions() link {
	return link{title: titleOf(exceptionsUID), board: exceptionsUID, set: []string{"pm2_namespace", "app"}}
}

// toRunbook leads from an alert's name to what to do about it.
func toRunbook(o Options) []link {
	if o.RunbookURL == "" {
		return nil
	}
	return []link{{title: text{"Runbook", "处理手册"}, url: strings.TrimSuffix(o.RunbookURL, "/") + "/${__data.fields.alertname:percentencode}"}}
}
