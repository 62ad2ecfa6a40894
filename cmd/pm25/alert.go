package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/alertfiles"
)

// addAlertFlags adds those of `pm25 server` and `pm25 up` that say who is told.
func addAlertFlags(cmd *kingpin.CmdClause, files *alertfiles.Files) {
	cmd.Flag("alert.receivers-file", "File that says who can be told of alerts, and how: mail, chats, robots, pagers.").StringVar(&files.Receivers)
	cmd.Flag("alert.owners-file", "File that says whose apps they are: who is told of their alerts, and whom messages call.").StringVar(&files.Owners)
}
