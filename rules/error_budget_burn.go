package rules

import (
	"fmt"
	"time"
)

const whyBurn = "A budget of 30 days. The long window says that it matters, the short one that it goes on, so that the alert ends soon.\n" +
	"A handful of bad requests is no matter for anybody, whatever their share: slo_min_bad, of which increase() of a scrape may miss\n" +
	"a part, hence half of one less. Of a service that is new, windows of days hold an hour: the window of an hour tells that.\n"

// budgetBurnsFast is told by the windows in which a month's budget is gone in two,
// or in five days.
func budgetBurnsFast() Alert {
	a := budgetBurn(Critical, burning{14.4, "1h", "5m"}, burning{6, "6h", "30m"})
	a.For, a.KeepFiringFor = time.Minute, 5*time.Minute
	a.Why = whyBurn +
		"14.4 times: 2 % of the budget in an hour. 6 times: 5 % in six hours.\n" +
		"The short window of an app with little traffic comes and goes, hence keep_firing_for."
	return a
}

// budgetBurnsSlowly is told by the windows in which a month's budget does not last.
func budgetBurnsSlowly() Alert {
	a := budgetBurn(Warning, burning{3, "1d", "2h"}, burning{1, "3d", "6h"})
	a.For, a.KeepFiringFor = 10*time.Minute, time.Hour
	a.Why = whyBurn +
		"3 times: 10 % of the budget in a day. 1 times: 10 % in three days, so it will not last.\n" +
		"When the night is quiet the short window is, too, hence keep_firing_for."
	return a
}

// burning is a pair of windows in which a budget burns so many times as fast as it
// would last.
type burning struct {
	times       float64
	long, short string
}

func (b burning) expr() string {
	limit := number(b.times) + " * " + serviceBudget
	return fmt.Sprintf("(\n  %s > %s\n  and %s > %s\n  and %s%s\n)", badRatio(b.long), limit, badRatio(b.short), limit, enoughBad(b.long), known(b.long))
}

// known is true where a service has been there for half of a window. A window of
// days that holds an hour is told by the one of an hour.
func known(window string) string {
	switch window {
	case "6h":
		return "\n  and " + serviceRequests + " offset 3h"
	case "1d":
		return "\n  and " + serviceRequests1h + " offset 12h"
	case "3d":
		return "\n  and " + serviceRequests1h + " offset 36h"
	}
	return ""
}

// enoughBad is true where enough requests were bad within a window to look at all.
// Sums of five minutes that follow one another may end up to five minutes ago; the
// last five minutes alone may be enough.
func enoughBad(window string) string {
	sum := "sum_over_time(" + serviceBad + "[" + window + ":5m])"
	if window == "1d" || window == "3d" {
		sum = "sum_over_time(" + serviceBad1h + "[" + window + ":1h])"
	}
	return fmt.Sprintf("(%s > ${slo_min_bad} - 0.5 or %s > ${slo_min_bad} - 0.5)", sum, serviceBad)
}

func budgetBurn(severity Severity, one, other burning) Alert {
	return Alert{
		Name:     "PM2ErrorBudgetBurn",
		Severity: severity,
		Scope:    ScopeService,
		Expr:     one.expr() + "\nor\n" + other.expr(),
		Summary: Text{
			EN: fmt.Sprintf(`{{ $labels.app }}{{ with $labels.bucket }} ({{ . }}){{ end }}: too many requests fail or are slow (%s or %s)`, one.long, other.long),
			ZH: fmt.Sprintf(`{{ $labels.app }}{{ with $labels.bucket }}（{{ . }}）{{ end }}：失败或过慢的请求过多（%s 或 %s）`, one.long, other.long),
		},
		Description: Text{
			EN: fmt.Sprintf(`{{ $value | humanizePercentage }} of the requests of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}), over all its hosts, were answered 5xx or too slowly for the objective "{{ $labels.slo }}". That burns its error budget of 30 days %s times (%s) or %s times (%s) as fast as it would last. Exceptions and slow routes of the app say more.`, number(one.times), one.long, number(other.times), other.long),
			ZH: fmt.Sprintf(`{{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}）在所有主机上有 {{ $value | humanizePercentage }} 的请求返回 5xx 或超过了目标 "{{ $labels.slo }}" 的时限。30 天的错误预算正以允许速度的 %s 倍（%s）或 %s 倍（%s）消耗。请查看该应用的异常和慢路由。`, number(one.times), one.long, number(other.times), other.long),
		},
	}
}
