package robot

import "time"

// Kind is whose robot it is.
type Kind string

// The kinds, as receivers.yml and the bridge's paths call them.
const (
	DingTalk Kind = "dingtalk"
	Feishu   Kind = "feishu" // and Lark, which is the same elsewhere
	WeCom    Kind = "wecom"
)

// Kinds lists all kinds.
func Kinds() []Kind { return []Kind{DingTalk, Feishu, WeCom} }

// Limit is how much a robot is sent: some less than it takes, because others may
// post to the same robot, and because clocks differ.
type Limit struct {
	Burst int           // messages at once
	Every time.Duration // one more each
	Bytes int           // of what the kind counts: the body, or for WeCom the content
	Pause time.Duration // after it said that there were too many; doubled each time
}

// maxPause bounds Limit.Pause's doubling: as long as DingTalk blocks a robot.
const maxPause = 10 * time.Minute

// Limit of the kind.
//
// DingTalk and WeCom take 20 messages a minute, and DingTalk then blocks a robot
// for ten: of 6 at once and one each 5 s there are 18 in the worst minute. Feishu
// takes 100 a minute and 5 a second: of 3 and one each 800 ms there are 78, and
// 5 in the worst second.
func (k Kind) Limit() Limit {
	switch k {
	case Feishu:
		return Limit{Burst: 3, Every: 800 * time.Millisecond, Bytes: 19_500, Pause: 10 * time.Second}
	case WeCom:
		return Limit{Burst: 6, Every: 5 * time.Second, Bytes: 4_000, Pause: 30 * time.Second}
	}
	return Limit{Burst: 6, Every: 5 * time.Second, Bytes: 19_500, Pause: time.Minute}
}

// PauseAfter is how long to leave the robot alone after it said so many times in
// a row that there were too many messages.
func (l Limit) PauseAfter(times int) time.Duration {
	pause := l.Pause
	for range times - 1 {
		if pause *= 2; pause >= maxPause {
			return maxPause
		}
	}
	return pause
}
