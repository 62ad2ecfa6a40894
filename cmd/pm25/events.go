package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/pm25/pm25/internal/client"
	"github.com/pm25/pm25/internal/record"
)

// filters are simple conditions that become a LogQL selector.
type filters struct {
	query, grep string
	labels      map[string]*[]string
}

func addFilters(cmd *kingpin.CmdClause) *filters {
	f := &filters{labels: map[string]*[]string{}}
	cmd.Arg("QUERY", "LogQL, such as {app=\"api\", kind=\"exception\"} |= \"timeout\"; instead of the filters.").StringVar(&f.query)
	for _, l := range []struct{ flag, label, help string }{
		{"app", "app", "Of this app only; repeatable."},
		{"host", "host", "Of this host only; repeatable."},
		{"kind", "kind", "Of this kind only: " + strings.Join(kinds(), ", ") + "; repeatable."},
		{"level", "level", "Of this level only: " + strings.Join(levels(), ", ") + "; repeatable."},
		{"bucket", "bucket", "Of this bucket only; repeatable."},
		{"namespace", "pm2_namespace", "Of this namespace of PM2 only; repeatable."},
	} {
		f.labels[l.label] = cmd.Flag(l.flag, l.help).Strings()
	}
	cmd.Flag("grep", "With this text only.").StringVar(&f.grep)
	return f
}

func kinds() []string {
	var out []string
	for _, k := range record.Kinds() {
		out = append(out, string(k))
	}
	return out
}

func levels() []string {
	return []string{string(record.LevelError), string(record.LevelWarn), string(record.LevelInfo)}
}

// known refuses kinds and levels that there are none of, which would find nothing.
func known(label string, values []string) error {
	all := map[string][]string{"kind": kinds(), "level": levels()}[label]
	for _, v := range values {
		if all != nil && !slices.Contains(all, v) {
			return fmt.Errorf("--%s=%s: it has to be one of %s", label, v, strings.Join(all, ", "))
		}
	}
	return nil
}

// logQL is the query, or the one that the filters make.
func (f *filters) logQL() (string, error) {
	var matchers []string
	for _, name := range []string{"app", "bucket", "host", "kind", "level", "pm2_namespace"} {
		values := *f.labels[name]
		if err := known(name, values); err != nil {
			return "", err
		}
		quoted := make([]string, len(values))
		for i, v := range values {
			quoted[i] = quoteRegexp(v)
		}
		switch len(values) {
		case 0:
		case 1:
			matchers = append(matchers, name+"="+strconv.Quote(values[0]))
		default:
			matchers = append(matchers, name+"=~"+strconv.Quote(strings.Join(quoted, "|")))
		}
	}
	if f.query != "" {
		if len(matchers) > 0 || f.grep != "" {
			return "", errors.New("give either a query or filters")
		}
		return f.query, nil
	}
	if len(matchers) == 0 {
		matchers = []string{`kind=~".+"`} // a selector needs one that leaves something out
	}
	query := "{" + strings.Join(matchers, ", ") + "}"
	if f.grep != "" {
		query += " |= " + strconv.Quote(f.grep)
	}
	return query, nil
}

func quoteRegexp(s string) string {
	var b strings.Builder
	for _, r := range s {
		if strings.ContainsRune(`\.+*?()|[]{}^$`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// addEvents adds `pm25 events`.
func addEvents(cli *kingpin.Application, commands map[string]func() error) {
	parent := cli.Command("events", "Read what happened: exceptions, exits, restarts, deploys, slow requests and events of apps.")
	c := addConnection(parent)
	asJSON := parent.Flag("json", "Print JSON, one entry a line.").Bool()

	query := parent.Command("query", "Print what happened, the newest last.")
	queried := addFilters(query)
	since := query.Flag("since", "From when on, such as 1h.").Default("1h").String()
	limit := query.Flag("limit", "At most so many, the newest.").Default("100").Int()
	commands[query.FullCommand()] = func() error { return queryEvents(c, queried, *since, *limit, *asJSON) }

	tail := parent.Command("tail", "Print what happens, as it is told; what arrives more than a minute late is left out.")
	tailed := addFilters(tail)
	commands[tail.FullCommand()] = func() error { return tailEvents(c, tailed, *asJSON) }
}

func queryEvents(c *connection, f *filters, since string, limit int, asJSON bool) error {
	length, err := model.ParseDuration(since)
	if err != nil {
		return fmt.Errorf("--since=%s: it has to be a duration such as 30m, 8h or 7d", since)
	}
	logQL, err := f.logQL()
	if err != nil {
		return err
	}
	conn, err := c.client()
	if err != nil {
		return err
	}
	now := time.Now()
	result, err := conn.Query(context.Background(), client.LogQuery{Query: logQL, Start: now.Add(-time.Duration(length)), End: now.Add(time.Minute), Limit: limit})
	if err != nil {
		return err
	}
	if result.Metrics != nil {
		return printJSON(result.Metrics)
	}
	if len(result.Entries) == 0 {
		// Not among the events: others read these.
		fmt.Fprintf(os.Stderr, "Nothing in the last %s for %s. --since looks back further.\n", length, oneLine(logQL))
		return nil
	}
	for i := len(result.Entries) - 1; i >= 0; i-- {
		if err := printEntry(result.Entries[i], asJSON); err != nil {
			return err
		}
	}
	return nil
}

func tailEvents(c *connection, f *filters, asJSON bool) error {
	logQL, err := f.logQL()
	if err != nil {
		return err
	}
	conn, err := c.client()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	return conn.Tail(ctx, logQL, time.Now(), func(entries []client.Entry) error {
		for _, e := range entries {
			if err := printEntry(e, asJSON); err != nil {
				return err
			}
		}
		return nil
	})
}

func printEntry(e client.Entry, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(e)
	}
	text := strings.ReplaceAll(strings.TrimRight(client.Printable(e.Line), "\n"), "\n", "\n    ")
	_, err := fmt.Printf("%s %s %s %s: %s\n", e.At.Local().Format("2006-01-02 15:04:05.000"), oneLine(e.Labels["kind"]), oneLine(e.Labels["host"]), oneLine(e.Labels["app"]), text)
	return err
}
