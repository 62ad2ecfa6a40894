// Command record runs the small services of app.js and writes what memory they use
// into a folder, one SCENARIO.csv each. Development only: internal/leaks replays
// the files. Time is compressed: see Scenarios.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pm25/pm25/internal/leaks"
)

func main() {
	app := flag.String("app", "internal/leaks/record/app.js", "the services")
	dir := flag.String("dir", "internal/leaks/testdata", "folder of the recordings")
	node := flag.String("node", "node", "the Node.js to run")
	length := flag.Duration("for", 18*time.Minute, "how long to record, by the services' clock")
	pace := flag.Float64("pace", 3, "how much faster than the wall's that clock runs, if the machine can")
	only := flag.String("only", "", "scenarios, separated by commas; all without")
	flag.Parse()
	var wg sync.WaitGroup
	for _, s := range leaks.Scenarios() {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.Name) {
			continue
		}
		wg.Go(func() {
			r := recorder{Scenario: s, node: *node, app: *app, pace: *pace, samples: int(*length / s.Every)}
			text, err := r.record()
			if err == nil {
				err = os.WriteFile(filepath.Join(*dir, s.Name+".csv"), text, 0o644)
			}
			if err != nil {
				fmt.Fprintf(os.Stderr, "record %s: %v\n", s.Name, err)
			}
		})
	}
	wg.Wait()
}
