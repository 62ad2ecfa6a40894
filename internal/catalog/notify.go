package catalog

// Names of the metrics about messages to chat robots.
const (
	NotifyMessages = "pm25_notify_messages_total"
	NotifyFailed   = "pm25_notify_failures_total"
	NotifyRequests = "pm25_notify_robot_requests_total"
	NotifyWaiting  = "pm25_notify_waiting"
	NotifyPaused   = "pm25_notify_paused"
)

// What becomes of a notification.
const (
	NotifyDelivered   = "delivered"
	NotifyPlain       = "plain"
	NotifyDigested    = "digested"
	NotifyRejected    = "rejected"
	NotifyThrottled   = "throttled"
	NotifyUndelivered = "unreachable"
	NotifyAbandoned   = "abandoned"
)

// NotifyResults lists what may become of a notification of Alertmanager.
func NotifyResults() []string {
	return []string{NotifyDelivered, NotifyPlain, NotifyDigested, NotifyRejected, NotifyThrottled, NotifyUndelivered, NotifyAbandoned}
}

// Why a robot did not take a message.
const (
	NotifyRateLimited = "rate_limited"
	NotifyServer      = "server"
	NotifyUnreachable = "unreachable"
	NotifyTimeout     = "timeout"
	NotifyAnswer      = "answer"
	NotifyPanic       = "panic"
	NotifyToken       = "token"
	NotifySignature   = "signature"
	NotifyKeyword     = "keyword"
	NotifyAddress     = "address"
	NotifyMalformed   = "malformed"
	NotifyTooLong     = "too_long"
	NotifyContent     = "content"
	NotifyRefused     = "refused"
	NotifyFiles       = "files"
)

// NotifyFailures lists why a robot may not take a message: first those that pass,
// then those that somebody has to mend.
func NotifyFailures() []string {
	return []string{
		NotifyRateLimited, NotifyServer, NotifyUnreachable, NotifyTimeout, NotifyAnswer, NotifyPanic,
		NotifyFiles, NotifyToken, NotifySignature, NotifyKeyword, NotifyAddress, NotifyMalformed, NotifyTooLong, NotifyContent, NotifyRefused,
	}
}

// NotifyKinds lists the kinds of robots.
func NotifyKinds() []string { return []string{"dingtalk", "feishu", "wecom"} }

// Notify returns the metrics about messages to chat robots.
func Notify() Group {
	robot := func(more ...Label) []Label {
		return append([]Label{closed("robot_kind", NotifyKinds()), open("robot", "robots in the file of receivers")}, more...)
	}
	return Group{Name: "notify", Title: "Chat robots", Metrics: []Metric{
		{Name: NotifyMessages, Type: Counter, Labels: robot(closed("result", NotifyResults())), Help: "Notifications of Alertmanager for chat robots, by what became of them.", Note: "Delivered are `delivered`, `plain` (what a person would look up first was not there in time, or was refused for its words) and `digested` (told with others in one message). Alertmanager tells `throttled` and `unreachable` again soon, `rejected` when its group's interval is over; `abandoned` are those that it did not wait for."},
		{Name: NotifyFailed, Type: Counter, Labels: robot(closed("reason", NotifyFailures())), Help: "Messages that a chat robot did not take, by reason.", Note: "`panic` is a mistake in PM25 itself: the stack is in its log."},
		{Name: NotifyRequests, Type: Counter, Labels: robot(), Help: "Messages that were sent to a chat robot, taken or not."},
		{Name: NotifyWaiting, Type: Gauge, Labels: robot(), Help: "Notifications that wait for a chat robot."},
		{Name: NotifyPaused, Type: Gauge, Labels: robot(), Help: "Whether a chat robot is left alone (1) because it said that there were too many messages."},
	}}
}
