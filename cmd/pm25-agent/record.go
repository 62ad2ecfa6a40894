package main

import (
	"strconv"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/record"
)

// recordFlags are the flags of what is recorded.
func recordFlags(cli *kingpin.Application, o *app.RecordOptions) {
	exceptions := true
	cli.Flag("log.lines", "How many of an app's last lines go with its exceptions and crashes.").Default(strconv.Itoa(record.MaxLogs)).IntVar(&o.LogLines)
	cli.Flag("log.exceptions", "Take stacks that only reach an app's log for exceptions.").Default("true").BoolVar(&exceptions)
	cli.Flag("scrub.patterns-file", "File of RE2 expressions, one a line, whose matches are taken out of records as secrets are.").StringVar(&o.ScrubFile)
	cli.Action(func(*kingpin.ParseContext) error { o.NoLogExceptions = !exceptions; return nil })
}
