package client

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Entry is a line of a log with its labels.
type Entry struct {
	At     time.Time         `json:"at"`
	Labels map[string]string `json:"labels"`
	Line   string            `json:"line"`
}

// Result is what a LogQL query gives: entries, or for a metric query the answer
// as it came.
type Result struct {
	Entries []Entry
	Metrics json.RawMessage
}

// LogQuery is a question to Loki's API.
type LogQuery struct {
	Query      string
	Start, End time.Time
	Limit      int
	Forward    bool // oldest first
}

// Query asks Loki's API.
func (c *Client) Query(ctx context.Context, q LogQuery) (Result, error) {
	direction := "backward"
	if q.Forward {
		direction = "forward"
	}
	data, err := get[struct {
		ResultType string          `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	}](ctx, c, "/loki/api/v1/query_range", url.Values{
		"query": {q.Query}, "start": {strconv.FormatInt(q.Start.UnixNano(), 10)}, "end": {strconv.FormatInt(q.End.UnixNano(), 10)},
		"limit": {strconv.Itoa(q.Limit)}, "direction": {direction},
	})
	if err != nil {
		return Result{}, err
	}
	if data.ResultType != "streams" {
		return Result{Metrics: data.Result}, nil
	}
	entries, err := readStreams(data.Result)
	slices.SortStableFunc(entries, func(a, b Entry) int {
		if q.Forward {
			return a.At.Compare(b.At)
		}
		return b.At.Compare(a.At)
	})
	return Result{Entries: entries}, err
}

func readStreams(raw json.RawMessage) ([]Entry, error) {
	var streams []struct {
		Stream map[string]string   `json:"stream"`
		Values [][]json.RawMessage `json:"values"`
	}
	if err := json.Unmarshal(raw, &streams); err != nil {
		return nil, fmt.Errorf("the answer holds no streams: %w", err)
	}
	var out []Entry
	for _, s := range streams {
		for _, v := range s.Values {
			var at, line string
			if len(v) < 2 || json.Unmarshal(v[0], &at) != nil || json.Unmarshal(v[1], &line) != nil {
				return nil, fmt.Errorf("the answer holds an entry without time and line")
			}
			ns, err := strconv.ParseInt(at, 10, 64)
			if err != nil {
				return nil, fmt.Errorf("the answer holds an entry at %q", at)
			}
			out = append(out, Entry{At: time.Unix(0, ns), Labels: s.Stream, Line: line})
		}
	}
	return out, nil
}

const (
	// overlap is how late a record may arrive and still be told of.
	overlap    = time.Minute
	tailLimit  = 1000
	tailPeriod = time.Second
)

// Tail tells of entries as they arrive, until ctx is done or tell fails: those
// that happened from start on, and that arrive at most a minute late.
func (c *Client) Tail(ctx context.Context, query string, start time.Time, tell func([]Entry) error) error {
	told := map[string]time.Time{}
	ticker := time.NewTicker(tailPeriod)
	defer ticker.Stop()
	for {
		now := time.Now()
		from := now.Add(-overlap)
		if from.Before(start) {
			from = start
		}
		result, err := c.Query(ctx, LogQuery{Query: query, Start: from, End: now.Add(overlap), Limit: tailLimit})
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		case result.Metrics != nil:
			return fmt.Errorf("a metric query can not be followed: give one that selects lines")
		}
		if err := tell(fresh(told, result.Entries)); err != nil {
			return err
		}
		maps.DeleteFunc(told, func(_ string, at time.Time) bool { return at.Before(from) })
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// fresh are the entries that were not told of yet, oldest first. Equal ones of
// one moment count: the second is news when there is a second.
func fresh(told map[string]time.Time, entries []Entry) []Entry {
	times := map[string]int{}
	var out []Entry
	for _, e := range entries {
		key := e.key()
		times[key]++
		key += strconv.Itoa(times[key])
		if _, ok := told[key]; !ok {
			told[key] = e.At
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b Entry) int { return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Line, b.Line)) })
	return out
}

func (e Entry) key() string {
	var b strings.Builder
	b.WriteString(strconv.FormatInt(e.At.UnixNano(), 10))
	for _, name := range slices.Sorted(maps.Keys(e.Labels)) {
		b.WriteString("\x00" + name + "\x01" + e.Labels[name])
	}
	b.WriteString("\x00" + e.Line)
	return b.String()
}
