// Command record runs the small services of app.js and writes what memory they use
// into a folder, one SCENARIO.csv each. Development only: internal/leaks replays
// the files.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/pm25/pm25/internal/leaks"
)

func main() {
	app := flag.String("app", "internal/leaks/record/app.js", "the services")
	dir := flag.String("dir", "internal/leaks/testdata", "folder of the recordings")
	node := flag.String("node", "node", "the Node.js to run")
	jobs := flag.Int("jobs", runtime.NumCPU(), "how many services run at a time")
	only := flag.String("only", "", "scenarios, separated by commas; all without")
	flag.Parse()
	var wg sync.WaitGroup
	free := make(chan struct{}, *jobs)
	for _, s := range leaks.Scenarios() {
		if *only != "" && !slices.Contains(strings.Split(*only, ","), s.Name) {
			continue
		}
		free <- struct{}{}
		wg.Go(func() {
			defer func() { <-free }()
			r := recorder{Scenario: s, node: *node, app: *app}
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
