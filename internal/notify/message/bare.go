package message

import "github.com/pm25/pm25/internal/notify/robot"

// Bare is a Digest of names and numbers alone, without links: for chat programs
// that refused a message for its words.
func (s Style) Bare(notifications []Notification) robot.Document {
	var one Notification
	for _, n := range notifications {
		one.Alerts = append(one.Alerts, n.Alerts...)
		one.Truncated += n.Truncated
	}
	d := s.Digest([]Notification{one})
	for i, b := range d.Blocks {
		d.Blocks[i].Lines = b.Lines[:1] // without the summary
	}
	reason := robot.Line{Rank: robot.Must, Spans: []robot.Span{robot.Text(s.say("bare.reason"))}}
	d.Blocks = append([]robot.Block{{Lines: []robot.Line{reason}}}, d.Blocks...)
	return d
}
