package message

import (
	"fmt"

	"github.com/pm25/pm25/rules/routing"
)

// words are all that messages say by themselves, in English and Chinese.
var words = map[string][2]string{
	"title.firing":   {"[FIRING:%d]", "【告警 %d】"},
	"title.resolved": {"[RESOLVED:%d]", "【恢复 %d】"},
	"title.digest":   {"%d alerts", "%d 条告警"},
	"title.names":    {"%s and %d more kinds", "%s 等 %d 种"},

	"critical": {"critical", "严重"},
	"warning":  {"warning", "警告"},
	"info":     {"info", "提示"},

	"since":          {"since %s (%s)", "自 %s 起（%s）"},
	"resolved.after": {"resolved at %s, after %s", "已于 %s 恢复，持续 %s"},
	"resolved":       {"resolved", "已恢复"},
	"host":           {"host %s", "主机 %s"},
	"bucket":         {"bucket %s", "分组 %s"},

	"end":           {"Last end: %s, %s", "上次退出：%s，%s"},
	"end.code":      {"code %d", "退出码 %d"},
	"end.lived":     {"lived %s", "存活 %s"},
	"end.peak":      {"peak memory %s", "内存峰值 %s"},
	"end.ago":       {"%s ago", "%s前"},
	"exception":     {"Exception: ", "异常："},
	"deploy":        {"Deployed %s ago: %s → %s", "%s前部署：%s → %s"},
	"deploy.to":     {"Deployed %s ago: %s", "%s前部署：%s"},
	"workers":       {"%d of %d processes online", "%[2]d 个进程中 %[1]d 个在线"},
	"workers.hit":   {"%d of %d processes affected", "%[2]d 个进程中 %[1]d 个受影响"},
	"hosts":         {"on %d of %d hosts", "%[2]d 台主机中 %[1]d 台受影响"},
	"log":           {"Last lines of its log:", "最后的日志："},
	"run":           {"Look: ", "查看："},
	"link.board":    {"Dashboard", "仪表盘"},
	"link.error":    {"Exceptions", "异常"},
	"link.runbook":  {"Runbook", "处理手册"},
	"link.silence":  {"Silence", "静默"},
	"more":          {"%d more: ", "还有 %d 条："},
	"more.all":      {"all alerts", "全部告警"},
	"more.next":     {"%d more in the next message", "还有 %d 条，见下一条消息"},
	"uncalled":      {"%d more people are to be mentioned; a message mentions %d at most.", "另有 %d 人未被 @：一条消息最多 @ %d 人。"},
	"row":           {"%d firing", "%d 条告警"},
	"row.both":      {"%d firing, %d resolved", "%d 条告警，%d 条恢复"},
	"row.resolved":  {"%d resolved", "%d 条恢复"},
	"row.hosts":     {"%s and %d more hosts", "%s 及另外 %d 台主机"},
	"bare.reason":   {"The chat program refused what is said of these, so only their names are told.", "聊天软件拒绝了完整内容，仅列出告警名称。"},
	"digest.reason": {"More messages at once than the robot takes, so they are told in one.", "消息超过机器人频率限制，已合并为一条。"},

	"reason.crash":        {"crash", "崩溃"},
	"reason.signal":       {"killed by a signal", "被信号终止"},
	"reason.oom_kill":     {"killed by the kernel: out of memory", "内存不足被内核终止"},
	"reason.memory_limit": {"over PM2's memory limit", "超过 PM2 内存上限"},
	"reason.errored":      {"PM2 gave up on it", "PM2 已放弃重启"},
	"reason.operator":     {"stopped by somebody", "人工停止"},
	"reason.reload":       {"reload", "重载"},
	"reason.watch":        {"a file changed", "文件变更"},
	"reason.cron":         {"cron restart", "定时重启"},
	"reason.clean":        {"ended by itself", "正常退出"},
	"reason.unknown":      {"reason unknown", "原因未知"},
}

// say is the phrase in the language.
func (s Style) say(key string, args ...any) string {
	pair, ok := words[key]
	if !ok {
		return key
	}
	text := pair[0]
	if s.Language == routing.Chinese {
		text = pair[1]
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// severity in words; what is not ours stays.
func (s Style) severity(severity string) string { return s.say(severity) }
