package recorder

import (
	"encoding/json"

	"github.com/pm25/pm25/internal/record"
)

// fit makes a record small enough to be sent: each part may be within its own
// limit and all together not. What explains least goes first.
func fit(r *record.Record) {
	for _, less := range []func(*record.ExceptionInfo){
		func(e *record.ExceptionInfo) { shorten(e.Frames, 10) },
		func(e *record.ExceptionInfo) { shorten(e.Frames, 1) },
		func(e *record.ExceptionInfo) {
			e.Causes = append([]record.Cause(nil), e.Causes...)
			for i := range e.Causes {
				e.Causes[i].Stack, _ = record.CleanText(e.Causes[i].Stack, record.MaxStack/16)
			}
		},
		func(e *record.ExceptionInfo) { e.Mapped = "" },
		func(e *record.ExceptionInfo) { e.Frames = e.Frames[:min(len(e.Frames), 10)] },
		func(e *record.ExceptionInfo) { e.Context, e.Causes = nil, nil },
		func(*record.ExceptionInfo) { r.Logs = nil },
	} {
		if r.Exception == nil || size(r) <= record.MaxRecord {
			return
		}
		less(r.Exception)
		r.Truncated = true
	}
}

// shorten leaves the source around the first frames of the app only.
func shorten(frames []record.Frame, keep int) {
	for i := range frames {
		f := &frames[i]
		if f.InApp && keep > 0 {
			keep--
			continue
		}
		f.Before, f.After = nil, nil
	}
}

func size(r *record.Record) int {
	b, err := json.Marshal(r)
	if err != nil {
		return 0
	}
	return len(b)
}
