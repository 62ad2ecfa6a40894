package ship

import (
	"net/http"
	"strconv"
	"time"
)

const (
	minBackoff    = 100 * time.Millisecond
	firstBackoff  = time.Second
	maxBackoff    = time.Minute
	seldom        = time.Minute
	maxRetryAfter = 15 * time.Minute
)

// backoff is how long to wait after so many failures in a row: anything up to a
// bound that doubles, so that agents do not come back all at once.
func backoff(failures int, random float64) time.Duration {
	bound := maxBackoff
	if shift := max(failures-1, 0); shift < 6 {
		bound = min(firstBackoff<<shift, maxBackoff)
	}
	return max(time.Duration(random*float64(bound)), minBackoff)
}

// longWait is how long to wait where only people can help.
func longWait(random float64) time.Duration {
	return seldom/2 + time.Duration(random*float64(seldom))
}

// retryAfter reads the header of that name: seconds or a date. Up to a tenth comes
// on top. false: there is none.
func retryAfter(header string, now time.Time, random float64) (time.Duration, bool) {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = min(time.Duration(seconds)*time.Second, maxRetryAfter)
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	} else {
		return 0, false
	}
	wait = min(max(wait, minBackoff), maxRetryAfter)
	return wait + time.Duration(random*float64(wait)/10), true
}
