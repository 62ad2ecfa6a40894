package rules

import "time"

func newException() Alert {
	return Alert{
		Name:          "PM2NewException",
		Severity:      Warning,
		Scope:         ScopeException,
		Expr:          `max without (instance, host) (pm25_server_new_exception_group_info) == 1`,
		KeepFiringFor: 10 * time.Minute,
		Why: "The server has the series of a group for an hour after it was seen first, or again after it was resolved: one alert for each.\n" +
			"instance and host would be those of the server. A scrape that fails takes the series away: without keep_firing_for each group\n" +
			"would be told as resolved, and then again.",
		Summary: Text{
			EN: `{{ if eq $labels.state "regressed" }}Exception is back{{ else }}New exception{{ end }} in {{ $labels.app }}: {{ $labels.title }}`,
			ZH: `{{ $labels.app }} {{ if eq $labels.state "regressed" }}再次出现已解决的异常{{ else }}出现新异常{{ end }}：{{ $labels.title }}`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}{{ with $labels.bucket }}, {{ . }}{{ end }}) has an exception that {{ if eq $labels.state "regressed" }}was resolved and is back{{ else }}was not seen before{{ end }}: {{ $labels.title }}. Group {{ $labels.group }} holds its stack, versions and hosts. It is told once.`,
			ZH: `{{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}{{ with $labels.bucket }}，{{ . }}{{ end }}）{{ if eq $labels.state "regressed" }}再次出现曾标记为已解决的异常{{ else }}出现了从未见过的异常{{ end }}：{{ $labels.title }}。异常组 {{ $labels.group }} 中有堆栈、版本和主机。只通知一次。`,
		},
	}
}
