package rules

import "time"

func serverRefusing() Alert {
	return Alert{
		Name:     "PM25ServerRefusing",
		Severity: Warning,
		Scope:    ScopePM25,
		Expr: `increase(pm25_server_push_rejected_total{reason!~"full|failed"}[15m]) > 3
or
increase(pm25_server_records_refused_total[15m]) > 0
or
increase(pm25_server_local_dropped_total[15m]) > 0
or
increase(pm25_server_queries_refused_total[15m]) > 3`,
		For:           time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "An agent that is turned away for a moment comes back, and nothing is lost: one or two are no matter. A record that is refused, or\n" +
			"that the store of this process does not keep up with, is gone.",
		Summary: Text{
			EN: `PM25's server {{ $labels.instance }} turns data or questions away{{ with $labels.reason }}: {{ . }}{{ end }}`,
			ZH: `PM25 服务器 {{ $labels.instance }} 正在拒绝数据或查询{{ with $labels.reason }}：{{ . }}{{ end }}`,
		},
		Description: Text{
			EN: `In the last 15 minutes the server refused pushes, records or queries{{ with $labels.bucket }} of the bucket {{ . }}{{ end }}{{ with $labels.reason }}, reason {{ . }}{{ end }}{{ with $labels.kind }}, records of the kind {{ . }}{{ end }}. What the reasons mean is in the runbook; a wrong token is the most common one.`,
			ZH: `最近 15 分钟内，服务器拒绝了推送、记录或查询{{ with $labels.bucket }}，bucket {{ . }}{{ end }}{{ with $labels.reason }}，原因 {{ . }}{{ end }}{{ with $labels.kind }}，记录类型 {{ . }}{{ end }}。各原因的含义见处理手册；最常见的是令牌错误。`,
		},
	}
}
