package rules

import "time"

func logNotRotated() Alert {
	return Alert{
		Name:     "PM2LogNotRotated",
		Severity: Info,
		Scope:    ScopeApp,
		Expr:     `sum without (stream) (pm2_app_log_file_bytes) > ${log_file_bytes}`,
		For:      time.Hour,
		Why:      "PM2 rotates nothing by itself. What rotates by size looks once in a while, so a file may be over it for some time, but not for an hour.",
		Summary: Text{
			EN: `The log files of {{ $labels.app }} on {{ or $labels.host $labels.instance }} grow and nobody rotates them`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的日志文件持续增长且没有轮转`,
		},
		Description: Text{
			EN: `The log files of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} are larger than rotation should let them become. "pm2 install pm2-logrotate" rotates those of all apps; "pm2 flush {{ $labels.app }}" empties them now.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）的日志文件超出了轮转应保持的大小。"pm2 install pm2-logrotate" 会轮转所有应用的日志；"pm2 flush {{ $labels.app }}" 立即清空。`,
		},
	}
}
