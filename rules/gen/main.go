// Command gen writes the rules of the default configuration into a folder, for
// classic histograms and for native ones, and the document that lists them.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pm25/pm25/rules"
	"github.com/pm25/pm25/rules/promtests"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: gen FOLDER TESTS DOCUMENT")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(folder, tests, name string) error {
	native := rules.Default()
	native.Native = true
	for name, text := range map[string]string{"pm25.yml": rules.File(rules.Default()), "pm25-native.yml": rules.File(native)} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	shown, err := promtests.Read(tests)
	if err != nil {
		return err
	}
	return os.WriteFile(name, []byte(document(shown)), 0o644)
}
