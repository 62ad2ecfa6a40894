package rules

import "time"

func hostDown() Alert {
	return Alert{
		Name:     "PM2HostDown",
		Severity: Critical,
		Scope:    ScopeHost,
		Expr: `max without (job, instance) (up{job="${job}", host!=""}) == 0
and on (host)
max by (host) (
  (max_over_time(up{host!=""}[1m]) and count_over_time(up{host!=""}[1m]) > 1)
  or
  (max_over_time(up{host!=""}[2m]) and up{host!=""})
  or
  up{host!=""}
) == 0
and on (host)
count by (host) (up{host!=""}) > 1`,
		For: 15 * time.Second,
		Why: "One target that is silent may be just that program: only where several of the host are known, and none answers, is it the host.\n" +
			"(Where only the agent is known, PM2ExporterDown speaks.) Earlier than that, so that it inhibits it. The labels are those of the\n" +
			"agent's target; others may have fewer, hence on (host). Windows are those of PM2ExporterDown.",
		Summary: Text{
			EN: `{{ $labels.host }} is down: nothing on it answers`,
			ZH: `{{ $labels.host }} 宕机：其上没有任何服务响应`,
		},
		Description: Text{
			EN: `All scrape targets on {{ $labels.host }} have not answered for more than a minute, the agent of PM25 among them. The host is down or cut off. "ping {{ $labels.host }}" tells whether it is there at all.`,
			ZH: `{{ $labels.host }} 上的所有抓取目标（包括 PM25 的代理）已超过一分钟没有响应：主机宕机或网络中断。用 "ping {{ $labels.host }}" 查看主机是否还在。`,
		},
	}
}
