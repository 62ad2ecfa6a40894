package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/central"
	"github.com/pm25/pm25/internal/datadir"
)

// addStore adds `pm25 store`.
func addStore(cli *kingpin.Application, commands map[string]func() error) {
	parent := cli.Command("store", "Look after the file in which records are kept.")
	dataDir := parent.Flag("data.dir", "Data folder of the server.").Default(defaultDataDir()).String()

	check := parent.Command("check", "Verify the file and what is in it.")
	repair := check.Flag("repair", "Mend what can be mended; the server has to be stopped.").Bool()
	commands[check.FullCommand()] = func() error { return checkStore(*dataDir, *repair) }

	backup := parent.Command("backup", "Copy the file, also while the server runs.")
	to := backup.Arg("FILE", "New file to copy to.").Required().String()
	commands[backup.FullCommand()] = func() error { return backupStore(*dataDir, *to) }
}

func checkStore(dataDir string, repair bool) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if repair {
		data, err := datadir.Open(dataDir)
		if err != nil {
			return err
		}
		defer data.Close()
	}
	store, err := central.OpenStore(dataDir)
	if err != nil {
		return err
	}
	defer store.Close()
	report, err := store.Check(ctx, repair)
	if err != nil {
		return err
	}
	fmt.Printf("%d records, %d streams, %d groups.\n", report.Records, report.Streams, report.Groups)
	for _, p := range report.Problems {
		state := "not repaired"
		if p.Repaired {
			state = "repaired"
		}
		fmt.Printf("  %s: %d (%s)\n", oneLine(p.What), p.Count, state)
	}
	switch {
	case report.Sound():
		fmt.Println("The store is sound.")
		return nil
	case repair:
		return fmt.Errorf("the store has problems that could not be repaired: put a backup in its place")
	}
	return fmt.Errorf("the store has problems: stop the server and run pm25 store check --repair")
}

func backupStore(dataDir, to string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	path, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: name a new file", path)
	}
	store, err := central.OpenStore(dataDir)
	if err != nil {
		return err
	}
	defer store.Close()
	if err := store.Backup(ctx, path); err != nil {
		return err
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	fmt.Printf("%s holds a copy of %d bytes.\n", path, info.Size())
	return nil
}
