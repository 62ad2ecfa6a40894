package rules

import "time"

func processErrored() Alert {
	return Alert{
		Name:          "PM2ProcessErrored",
		Severity:      Critical,
		Scope:         ScopeProcess,
		Expr:          `max without (state) (pm2_process_state{state="errored"}) == 1`,
		For:           10 * time.Second,
		KeepFiringFor: 30 * time.Second,
		Why: "PM2 has given up on the process, and nothing restarts it. Two scrapes have to agree, so that a restart by hand at once tells nothing.\n" +
			"A scrape that fails takes all series away: without keep_firing_for it would be told as resolved, and then again.",
		Summary: Text{
			EN: `{{ $labels.app }} (id {{ $labels.pm_id }}) on {{ or $labels.host $labels.instance }} is errored: PM2 has given up on it`,
			ZH: `{{ or $labels.host $labels.instance }} 上的 {{ $labels.app }}（id {{ $labels.pm_id }}）处于错误状态：PM2 已放弃重启`,
		},
		Description: Text{
			EN: `Process {{ $labels.pm_id }} of {{ $labels.app }} (namespace {{ $labels.pm2_namespace }}, PM2 {{ $labels.daemon }}) on {{ or $labels.host $labels.instance }} ended too often right after its start. PM2 will not start it again. "pm2 logs {{ $labels.app }} --err --lines 50" shows why it ended, "pm2 restart {{ $labels.pm_id }}" tries again.`,
			ZH: `{{ or $labels.host $labels.instance }} 上 {{ $labels.app }} 的进程 {{ $labels.pm_id }}（命名空间 {{ $labels.pm2_namespace }}，PM2 {{ $labels.daemon }}）启动后很快结束，次数太多，PM2 不会再启动它。"pm2 logs {{ $labels.app }} --err --lines 50" 说明它为什么结束，"pm2 restart {{ $labels.pm_id }}" 再试一次。`,
		},
	}
}

// givenUp is true of apps that PM2 gave up a short while ago, or has: one process at
// least is errored, and all others are errored or stopped. For the right side of
// `unless` of what counts five minutes: what brought that about is in the count also
// after somebody started the app again.
func givenUp() string {
	return `(
  min without (pm_id) (
    max without (state) (max_over_time(pm2_process_state{state=~"errored|stopped"}[5m]))
  ) == 1
  and
  max without (pm_id, state) (max_over_time(pm2_process_state{state="errored"}[5m])) == 1
)`
}
