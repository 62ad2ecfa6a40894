package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/client"
	"github.com/pm25/pm25/internal/record"
)

// addExceptions adds `pm25 exceptions`.
func addExceptions(cli *kingpin.Application, commands map[string]func() error) {
	parent := cli.Command("exceptions", "Look at groups of exceptions, and say what became of them.")
	c := addConnection(parent)
	var asJSON bool
	parent.Flag("json", "Print JSON.").BoolVar(&asJSON)
	addExceptionsList(parent, c, &asJSON, commands)
	addExceptionsShow(parent, c, &asJSON, commands)
	addExceptionsChange(parent, c, &asJSON, commands)
}

func addExceptionsList(parent *kingpin.CmdClause, c *connection, asJSON *bool, commands map[string]func() error) {
	list := parent.Command("list", "List the groups, the last seen first.")
	values := map[string]*string{}
	for _, f := range []struct{ flag, name, help, value string }{
		{"bucket", "bucket", "Of this bucket only.", ""},
		{"namespace", "pm2_namespace", "Of this namespace of PM2 only.", ""},
		{"app", "app", "Of this app only.", ""},
		{"grep", "q", "With this text in title or culprit.", ""},
		{"since", "since", "Seen since, such as 2d.", ""},
		{"limit", "limit", "At most so many.", "50"},
	} {
		values[f.name] = list.Flag(f.flag, f.help).Default(f.value).String()
	}
	states := list.Flag("state", "In this state only: new, ongoing, regressed, resolved or muted; repeatable. Default: new, ongoing and regressed.").Strings()
	all := list.Flag("all", "In any state.").Bool()
	commands[list.FullCommand()] = func() error {
		query := url.Values{}
		for name, v := range values {
			if *v != "" {
				query.Set(name, *v)
			}
		}
		if len(*states) == 0 && !*all {
			*states = []string{"new", "ongoing", "regressed"}
		}
		query["state"] = *states
		conn, err := c.client()
		if err != nil {
			return err
		}
		groups, err := conn.Groups(context.Background(), query)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(groups)
		}
		if len(groups.Groups) == 0 && len(*states) > 0 {
			fmt.Printf("No such exceptions that are %s; --all shows those in any state.\n", strings.Join(*states, " or "))
			return nil
		}
		return printGroups(groups)
	}
}

func printGroups(groups api.Groups) error {
	rows := make([][]string, len(groups.Groups))
	for i, g := range groups.Groups {
		rows[i] = []string{g.ID, g.State, strconv.FormatUint(g.Count, 10), ago(g.LastSeen), g.App, g.Version, strings.Join(g.Hosts, ","), g.Title}
	}
	if len(rows) == 0 {
		fmt.Println("No exceptions.")
		return nil
	}
	if err := printTable([]string{"ID", "STATE", "COUNT", "LAST SEEN", "APP", "VERSION", "HOSTS", "TITLE"}, rows); err != nil {
		return err
	}
	if groups.Next != "" {
		fmt.Println("There are more: --limit shows them.")
	}
	return nil
}

func addExceptionsShow(parent *kingpin.CmdClause, c *connection, asJSON *bool, commands map[string]func() error) {
	show := parent.Command("show", "Show one group: its last stack, where and how often it was seen.")
	id := show.Arg("ID", "Id of the group.").Required().String()
	commands[show.FullCommand()] = func() error {
		conn, err := c.client()
		if err != nil {
			return err
		}
		d, err := conn.Group(context.Background(), *id)
		if err != nil {
			return err
		}
		if *asJSON {
			return printJSON(d)
		}
		printGroup(d)
		return nil
	}
}

func printGroup(d api.GroupDetails) {
	g := d.Group
	fmt.Println(oneLine(g.Title))
	line := func(name, value string) {
		if value != "" {
			fmt.Printf("  %-12s%s\n", name, oneLine(value))
		}
	}
	line("in", g.Culprit)
	line("app", g.App+" ("+g.Namespace+"), bucket "+g.Bucket)
	line("state", stateText(g))
	line("seen", fmt.Sprintf("%s, first %s, last %s", times(g.Count), ago(g.FirstSeen), ago(g.LastSeen)))
	line("versions", versions(g))
	line("hosts", strings.Join(g.Hosts, ", "))
	line("owner", g.Owner)
	line("note", g.Note)
	var day uint64
	for _, h := range d.Hours {
		if !h.Hour.Before(g.LastSeen.Add(-24 * 60 * 60 * 1e9)) {
			day += h.Count
		}
	}
	line("last day", times(day))
	if len(d.Samples) > 0 {
		printSample(d.Samples[0])
	}
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

func versions(g api.Group) string {
	if g.FirstVersion == g.Version {
		return g.Version
	}
	return "from " + g.FirstVersion + " to " + g.Version
}

func stateText(g api.Group) string {
	text := g.State
	switch {
	case g.ResolvedIn != "":
		text += " in " + g.ResolvedIn
	case g.ResolvedNext:
		text += " in the next deploy"
	}
	if g.MutedUntil != nil {
		text += " until " + g.MutedUntil.Local().Format("2006-01-02 15:04")
	}
	if g.MutedCount > 0 {
		text += fmt.Sprintf(" for %d more", g.MutedCount)
	}
	if g.ChangedBy != "" {
		text += ", by " + g.ChangedBy
	}
	return text
}

func printSample(r *record.Record) {
	fmt.Printf("\n%s on %s, version %s\n\n%s\n", r.Time().Local().Format("2006-01-02 15:04:05"), oneLine(r.Host), oneLine(r.Version), client.Printable(r.Line()))
	if len(r.Logs) > 0 {
		fmt.Println("\nThe last lines of its log:")
	}
	for _, l := range r.Logs {
		fmt.Printf("  %s | %s\n", l.Stream, oneLine(l.Text))
	}
}

func addExceptionsChange(parent *kingpin.CmdClause, c *connection, asJSON *bool, commands map[string]func() error) {
	for _, verb := range []struct{ name, state, help string }{
		{"resolve", "resolved", "Say that a group is dealt with; it comes back when a newer version shows it."},
		{"mute", "muted", "Say that nobody wants to hear of a group."},
		{"reopen", "ongoing", "Take a group back from resolved or muted."},
	} {
		cmd := parent.Command(verb.name, verb.help)
		var change api.Change
		id := cmd.Arg("ID", "Id of the group.").Required().String()
		note := cmd.Flag("note", "A note to leave with it.").String()
		owner := cmd.Flag("owner", "Whose it is.").String()
		cmd.Flag("by", "Who says so, where a token does not.").Default(os.Getenv("USER")).StringVar(&change.By)
		switch verb.name {
		case "resolve":
			cmd.Flag("in-version", "Resolved in this version: it comes back in newer ones only.").StringVar(&change.InVersion)
			cmd.Flag("next-deploy", "Resolved in the next deploy: it comes back in versions not seen yet.").BoolVar(&change.InNextDeploy)
		case "mute":
			cmd.Flag("for", "How long, such as 7d. Default: for good.").StringVar(&change.For)
			cmd.Flag("count", "Until it was seen so many more times.").Uint64Var(&change.Count)
		}
		commands[cmd.FullCommand()] = func() error {
			change.State = verb.state
			if *note != "" {
				change.Note = note
			}
			if *owner != "" {
				change.Owner = owner
			}
			conn, err := c.client()
			if err != nil {
				return err
			}
			g, err := conn.ChangeGroup(context.Background(), *id, change)
			if err != nil {
				return err
			}
			if *asJSON {
				return printJSON(g)
			}
			fmt.Printf("%s is %s: %s\n", g.ID, stateText(g), oneLine(g.Title))
			return nil
		}
	}
}
