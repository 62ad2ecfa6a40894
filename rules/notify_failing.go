package rules

import "time"

func notifyFailing() Alert {
	return Alert{
		Name:          "PM25NotifyFailing",
		Severity:      Critical,
		Scope:         ScopePM25,
		Expr:          `increase(pm25_notify_failures_total[10m]) > 1`,
		For:           time.Minute,
		KeepFiringFor: 15 * time.Minute,
		Why: "Robots answer 200 to what they refuse; PM25 reads the answer and counts. A message is tried again, so one failure is no matter;\n" +
			"two in ten minutes mean that people are not told. This alert goes to all other receivers that its route has.",
		Summary: Text{
			EN: `Messages to the {{ $labels.robot_kind }} robot {{ $labels.robot }} fail`,
			ZH: `发往 {{ $labels.robot_kind }} 机器人 {{ $labels.robot }} 的消息失败`,
		},
		Description: Text{
			EN: `{{ $labels.robot_kind }} did not take several messages of the robot {{ $labels.robot }} within ten minutes, reason: {{ $labels.reason }}. Alerts that only go there reach nobody.`,
			ZH: `{{ $labels.robot_kind }} 在十分钟内多次未接受机器人 {{ $labels.robot }} 的消息，原因：{{ $labels.reason }}。只发往该机器人的告警没有人能收到。`,
		},
	}
}
