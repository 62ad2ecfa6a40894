// Command gen writes the rules of the default configuration into a folder.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pm25/pm25/rules"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER")
		os.Exit(2)
	}
	for name, text := range map[string]string{"pm25.yml": rules.File(rules.Default())} {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(text), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}
