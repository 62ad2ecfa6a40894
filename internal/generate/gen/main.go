// Command gen writes what docker-compose.yml mounts into a folder.
package main

import (
	"fmt"
	"os"

	"github.com/pm25/pm25/internal/generate"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: gen FOLDER")
	}
	files, err := generate.All(generate.Compose())
	if err != nil {
		return err
	}
	_, err = generate.Write(args[0], files)
	return err
}
