package rules

import "time"

func logDiskFilling() Alert {
	return Alert{
		Name:     "PM2LogDiskFilling",
		Severity: Warning,
		Scope:    ScopeHost,
		Expr: `pm2_host_filesystem_avail_bytes / pm2_host_filesystem_size_bytes < ${disk_available_ratio}
or
(
  predict_linear(pm2_host_filesystem_avail_bytes[1h], ${disk_fill_seconds}) < 0
  and
  predict_linear(pm2_host_filesystem_avail_bytes[15m], ${disk_fill_seconds}) < 0
  and
  predict_linear(pm2_host_filesystem_avail_bytes[15m] offset 30m, ${disk_fill_seconds}) < 0
)`,
		For: 2 * time.Minute,
		Why: "Full, or soon full at its pace. A file that is copied there is a step, not a pace: so the pace has to hold for the hour, this quarter\n" +
			"of an hour and the one half an hour ago. `for` leaves rotation the time to make room.",
		Summary: Text{
			EN: `{{ $labels.mountpoint }} on {{ or $labels.host $labels.instance }}, where PM2 or its logs are, is filling up`,
			ZH: `{{ or $labels.host $labels.instance }} 上存放 PM2 或日志的 {{ $labels.mountpoint }} 即将写满`,
		},
		Description: Text{
			EN: `The file system {{ $labels.mountpoint }} on {{ or $labels.host $labels.instance }} has little room left, or will be full within ${disk_fill_seconds:duration} at the pace of the last hour. With no room, apps lose their logs, and PM2 can not save its list. "du -xah {{ $labels.mountpoint }} | sort -h | tail" shows what is large.`,
			ZH: `{{ or $labels.host $labels.instance }} 上的文件系统 {{ $labels.mountpoint }} 剩余空间很少，或按最近一小时的速度将在 ${disk_fill_seconds:duration}内写满。写满后应用会丢失日志，PM2 也无法保存列表。"du -xah {{ $labels.mountpoint }} | sort -h | tail" 显示占用空间大的文件。`,
		},
	}
}
