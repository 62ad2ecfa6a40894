package scrub

import "strings"

// A mark stands where a secret was: [redacted:token].
const (
	markOpen = "[redacted:"
	maxMark  = len(markOpen) + 16
)

func markOf(c Class) string { return markOpen + string(c) + "]" }

// markAt is the length of the mark that text begins with; 0 if there is none.
func markAt(text string) int {
	if !strings.HasPrefix(text, markOpen) {
		return 0
	}
	end := strings.IndexByte(text[:min(len(text), maxMark)], ']')
	if end < 0 {
		return 0
	}
	for _, c := range Classes() {
		if text[len(markOpen):end] == string(c) {
			return end + 1
		}
	}
	return 0
}

// overlapsMark says whether a mark begins in text[start:end], or reaches into it.
func overlapsMark(text string, start, end int) bool {
	for at := max(0, start-maxMark); at < end; {
		next := strings.Index(text[at:], markOpen)
		if next < 0 || at+next >= end {
			return false
		}
		at += next
		if n := markAt(text[at:]); n > 0 && at+n > start {
			return true
		}
		at++
	}
	return false
}
