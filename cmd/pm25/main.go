// Command pm25 is everything of PM25 that does not run on every host: `pm25 up`
// is the whole stack in one process, `pm25 server` its central half, and the
// others ask one of the two.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata" // receivers name time zones, and a container may know none

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/health"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "pm25:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	cli := kingpin.New("pm25", "Watches Node services under PM2, with the parts of Prometheus.")
	cli.HelpFlag.Short('h')
	cli.Version(version.Print("pm25"))
	commands := map[string]func() error{}
	addUp(cli, commands)
	addServer(cli, commands)
	addExceptions(cli, commands)
	addEvents(cli, commands)
	addBucket(cli, commands)
	addStore(cli, commands)
	addCheck(cli, commands)
	addGenerate(cli, commands)
	healthy, ask := health.Add(cli, "9725")
	commands[healthy.FullCommand()] = ask
	command, err := cli.Parse(args)
	if err != nil {
		return fmt.Errorf("%w; see pm25 --help", err)
	}
	return commands[command]()
}
