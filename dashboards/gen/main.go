// Command gen writes the boards into the folder that it is given, those in Chinese
// into its folder zh.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/pm25/pm25/dashboards"
	"github.com/pm25/pm25/rules"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen DIR")
		os.Exit(2)
	}
	for language, dir := range map[string]string{rules.English: os.Args[1], rules.Chinese: filepath.Join(os.Args[1], "zh")} {
		if err := write(language, dir); err != nil {
			fmt.Fprintln(os.Stderr, "gen:", err)
			os.Exit(1)
		}
	}
}

func write(language, dir string) error {
	o := dashboards.For(rules.Default())
	o.Language = language
	all, err := dashboards.All(o)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, b := range all {
		text, err := b.JSON()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, b.UID+".json"), text, 0o644); err != nil {
			return err
		}
	}
	return nil
}
