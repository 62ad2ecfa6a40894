package rules

func frequentRestarts() Alert {
	return Alert{
		Name:     "PM2FrequentRestarts",
		Severity: Warning,
		Scope:    ScopeApp,
		Expr: `(
  sum without (reason) (
    increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[1h])
    or
    increase(pm2_app_exits_total{reason="clean"}[1h])
    and on (job, instance, daemon, pm2_namespace, app)
    max_over_time(pm2_app:http_requests:increase5m[1h]) > 0
  ) > ${frequent_restarts} - 0.1
  and
  sum without (pm_id) (increase(pm2_process_restarts_total[1h])) > ${frequent_restarts} - 0.1
)
unless
sum without (reason) (
  increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[10m])
) > ${crash_loop_ends} - 0.1
unless
max_over_time(
  sum without (reason) (
    increase(pm2_app_exits_total{reason=~"crash|signal|oom_kill"}[10m])
  )[1h:5m]
) > ${crash_loop_ends} - 0.1`,
		Why: "An app that ends by itself now and then, too seldom for PM2CrashLoop, and PM2 starts it again. Ends by people, deploys, timers,\n" +
			"file watching and the memory limit do not count (of the last PM2MemoryRestartLoop tells). exit(0) counts where the app answered\n" +
			"requests within the hour: a service is not meant to end. A worker that has done its batch is, and PM2 starts the next. PM2 counts no\n" +
			"restart where its clock, or a person, starts what had ended.\n" +
			"A crash loop, now or within the hour, is told already. increase() stretches what it sees a little, hence the 0.1.",
		Summary: Text{
			EN: `{{ $labels.app }} on {{ or $labels.host $labels.instance }} ends and is restarted again and again`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }} 频繁结束并被重启`,
		},
		Description: Text{
			EN: `{{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} ended by itself several times in the last hour, and PM2 started it again each time. "pm2 logs {{ $labels.app }} --err --lines 50" shows its last words.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）在最近一小时内多次自行结束，每次都由 PM2 重新启动。"pm2 logs {{ $labels.app }} --err --lines 50" 显示它结束前的日志。`,
		},
	}
}
