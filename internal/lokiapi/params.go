package lokiapi

import (
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/logql"
)

func badRequest(format string, args ...any) error {
	return &statusError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

// What is before or behind is cut, so that nanoseconds stay within their bounds.
var (
	earliest = time.Unix(0, 0)
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// parseTime reads nanoseconds, seconds with or without a fraction, or RFC 3339.
func parseTime(value string, fallback time.Time) (time.Time, error) {
	if value == "" {
		return fallback, nil
	}
	t, err := time.Parse(time.RFC3339Nano, value)
	if n, isInt := strconv.ParseInt(value, 10, 64); isInt == nil {
		t, err = time.Unix(0, n), nil
		if len(value) <= 10 {
			t = time.Unix(n, 0)
		}
	} else if f, isFloat := strconv.ParseFloat(value, 64); isFloat == nil && math.Abs(f) < 1e11 {
		seconds, part := math.Modf(f)
		// As far as a float64 of today is exact.
		t, err = time.Unix(int64(seconds), int64(math.Round(part*1000))*int64(time.Millisecond)), nil
	}
	if err != nil {
		return t, badRequest("could not parse '%s' as timestamp", clip(value))
	}
	if t.Before(earliest) {
		t = earliest
	}
	if t.After(latest) {
		t = latest
	}
	return t, nil
}

func clip(s string) string {
	if len(s) > 100 {
		s = s[:100] + "…"
	}
	return strings.ToValidUTF8(s, "�")
}

// bounds reads start, end and since. Where start is missing, that long before the
// end is meant.
func (a *API) bounds(form url.Values, before time.Duration) (start, end time.Time, err error) {
	now := a.o.Now()
	if end, err = parseTime(form.Get("end"), now); err != nil {
		return start, end, err
	}
	if since := form.Get("since"); since != "" {
		d, err := model.ParseDuration(since)
		if err != nil {
			return start, end, badRequest("could not parse 'since' parameter: %s", clip(err.Error()))
		}
		before = time.Duration(d)
	}
	until := end
	if until.After(now) {
		until = now
	}
	start, err = parseTime(form.Get("start"), until.Add(-before))
	return start, end, err
}

// parseStep reads seconds or a duration.
func parseStep(name, value string) (time.Duration, error) {
	if f, err := strconv.ParseFloat(value, 64); err == nil {
		if ns := f * float64(time.Second); ns > math.MinInt64 && ns < math.MaxInt64 {
			return time.Duration(ns), nil
		}
	}
	if d, err := model.ParseDuration(value); err == nil {
		return time.Duration(d), nil
	}
	return 0, badRequest("cannot parse %q to a valid duration (%s)", clip(value), name)
}

// maxResolution is how many steps a series has at most, as in Loki.
const maxResolution = 11_000

// rangeParams reads what a query over a range of time is asked with.
func (a *API) rangeParams(form url.Values) (p logql.Params, err error) {
	start, end, err := a.bounds(form, time.Hour)
	if err != nil {
		return p, err
	}
	if end.Before(start) {
		return p, badRequest("end timestamp must not be before or equal to start time")
	}
	p.Start, p.End = start.UnixNano(), end.UnixNano()
	p.Step = time.Duration(max(math.Floor(end.Sub(start).Seconds()/250), 1)) * time.Second
	if value := form.Get("step"); value != "" {
		if p.Step, err = parseStep("step", value); err != nil {
			return p, err
		}
	}
	if p.Step <= 0 {
		return p, badRequest("zero or negative query resolution step widths are not accepted. Try a positive integer")
	}
	if end.Sub(start)/p.Step > maxResolution {
		return p, badRequest("exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
	}
	if value := form.Get("interval"); value != "" {
		if p.Interval, err = parseStep("interval", value); err != nil {
			return p, err
		}
		if p.Interval < 0 {
			return p, badRequest("interval must be >= 0")
		}
	}
	if p.Limit, err = a.lines(form); err != nil {
		return p, err
	}
	p.Backward, err = backward(form.Get("direction"))
	return p, err
}

// lines reads the limit of lines.
func (a *API) lines(form url.Values) (int, error) {
	value := form.Get("limit")
	if value == "" {
		return 100, nil
	}
	n, err := strconv.Atoi(value)
	switch {
	case err != nil:
		return 0, badRequest("limit %q is no number", clip(value))
	case n <= 0:
		return 0, badRequest("limit must be a positive value")
	case n > a.o.MaxLines:
		return 0, badRequest("max entries limit per query exceeded, limit > max_entries_limit_per_query (%d > %d)", n, a.o.MaxLines)
	}
	return n, nil
}

func backward(direction string) (bool, error) {
	switch strings.ToLower(direction) {
	case "", "backward":
		return true, nil
	case "forward":
		return false, nil
	}
	return false, badRequest("invalid direction '%s'", clip(direction))
}

// selector reads the parameter query, which may be absent.
func selector(form url.Values) ([]*labels.Matcher, error) {
	query := form.Get("query")
	if query == "" {
		return nil, nil
	}
	return logql.ParseSelector(query, true)
}

// categorized is true if the request asks for labels by where they come from.
func categorized(r *http.Request) bool {
	return slices.ContainsFunc(strings.Split(r.Header.Get("X-Loki-Response-Encoding-Flags"), ","), func(flag string) bool {
		return strings.TrimSpace(flag) == flagCategorize
	})
}

const flagCategorize = "categorize-labels"
