package rules

import "time"

func notifyFailing() Alert {
	return Alert{
		Name:     "PM25NotifyFailing",
		Severity: Critical,
		Scope:    ScopePM25,
		Expr: `sum without (result) (
  increase(pm25_notify_messages_total{result=~"rejected|unreachable|abandoned"}[10m])
) > 0
or
sum without (result) (
  increase(pm25_notify_messages_total{result="throttled"}[30m])
) > 3
or
sum without (reason) (
  increase(pm25_notify_failures_total{reason!="rate_limited"}[10m])
) > 2`,
		For:           time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "Robots answer 200 to what they refuse; PM25 reads the answer and counts. What was rejected or given up reached nobody. Alertmanager\n" +
			"brings what was throttled again, so that may happen now and then; digests are how the limits of robots are kept.\n" +
			"Of this alert's receivers the failing robot is one; it needs another to be heard.",
		Summary: Text{
			EN: `Messages to the {{ $labels.robot_kind }} robot {{ $labels.robot }} fail`,
			ZH: `发往 {{ $labels.robot_kind }} 机器人 {{ $labels.robot }} 的消息失败`,
		},
		Description: Text{
			EN: `The {{ $labels.robot_kind }} robot {{ $labels.robot }} did not take messages in the last minutes. Alerts that go only there reach nobody. The query in the runbook shows the reason: most often a token that was changed, or a keyword or signature that the robot asks for.`,
			ZH: `{{ $labels.robot_kind }} 机器人 {{ $labels.robot }} 最近几分钟没有接受消息，只发往该机器人的告警没有人能收到。处理手册中的查询会显示原因：最常见的是令牌已更换，或缺少机器人要求的关键词、签名。`,
		},
	}
}
