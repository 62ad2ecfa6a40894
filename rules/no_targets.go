package rules

import "time"

func noTargets() Alert {
	return Alert{
		Name:     "PM25NoTargets",
		Severity: Warning,
		Scope:    ScopePM25,
		Expr:     `absent(up{job="${job}"})`,
		For:      5 * time.Minute,
		Why: "Without a single agent no other alert can fire. Discovery needs a moment after a start. When the disk is full and no sample is\n" +
			"taken, this is what remains.",
		Summary: Text{
			EN: `Not one agent is scraped`,
			ZH: `没有采集到任何代理`,
		},
		Description: Text{
			EN: `No target of the job "{{ $labels.job }}" has a sample: the file or service that lists the agents is empty, Prometheus' configuration has another job name, or no samples are stored because the disk is full. No alert about apps can fire.`,
			ZH: `任务 "{{ $labels.job }}" 没有任何目标有样本：列出代理的文件或服务为空，Prometheus 配置中的任务名不同，或磁盘已满而不再存储样本。关于应用的告警都无法触发。`,
		},
	}
}
