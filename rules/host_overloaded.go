package rules

import "time"

func hostOverloaded() Alert {
	return Alert{
		Name:     "PM2HostOverloaded",
		Severity: Warning,
		Scope:    ScopeHost,
		Expr:     `pm2_host_load15 / pm2_host_cpus > ${host_load_per_cpu}`,
		For:      10 * time.Minute,
		Why:      "More work than its CPUs can do, for longer than a build, a backup or a start of all apps takes; load15 is slow already.",
		Summary: Text{
			EN: `{{ or $labels.host $labels.instance }} has more work than its CPUs can do`,
			ZH: `{{ or $labels.host $labels.instance }} 的负载超出 CPU 的处理能力`,
		},
		Description: Text{
			EN: `More processes on {{ or $labels.host $labels.instance }} want to run, or wait for the disk, than it has CPUs for, and have done so for a quarter of an hour. All apps there answer more slowly. "top -o %CPU" shows who uses the CPUs.`,
			ZH: `{{ or $labels.host $labels.instance }} 上要运行（或等待磁盘）的进程数已有一刻钟超出其 CPU 的处理能力，所有应用的响应都会变慢。"top -o %CPU" 显示谁在占用 CPU。`,
		},
	}
}
