package rules

func daemonRestarted() Alert {
	return Alert{
		Name:     "PM2DaemonRestarted",
		Severity: Info,
		Scope:    ScopeDaemon,
		Expr:     `pm2_daemon_start_time_seconds - min_over_time(pm2_daemon_start_time_seconds[15m]) > 10`,
		Why: "All apps were started anew, and ids may have changed: that explains what graphs show. An agent that restarts tells the same start as\n" +
			"before. The ten seconds leave room for a clock that is set.",
		Summary: Text{
			EN: `PM2 {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} was restarted`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM2 {{ $labels.daemon }} 已重启`,
		},
		Description: Text{
			EN: `The PM2 daemon {{ $labels.daemon }} on {{ or $labels.host $labels.instance }} was started within the last fifteen minutes, and all of its apps with it. Their ids may be others than before. After "pm2 update" or a reboot that is as it should be; otherwise "tail -50 ~/.pm2/pm2.log" says why the one before ended.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 PM2 守护进程 {{ $labels.daemon }} 在最近十五分钟内启动，其所有应用也随之启动，id 可能已经改变。执行 "pm2 update" 或主机重启之后这是正常的；否则用 "tail -50 ~/.pm2/pm2.log" 查看之前的守护进程为什么结束。`,
		},
	}
}
