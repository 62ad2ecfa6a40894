package main

import (
	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/routingfiles"
)

// addAlertFlags adds those of `pm25 server` and `pm25 up` that say who is told.
func addAlertFlags(cmd *kingpin.CmdClause, files *routingfiles.Names) {
	cmd.Flag("alert.receivers-file", "YAML file with who is told of alerts, and how: mail, Slack, Teams, PagerDuty, WeCom, DingTalk, Feishu, webhooks.").StringVar(&files.Receivers)
	cmd.Flag("alert.owners-file", "YAML file with which team is told of which apps, and whom messages call.").StringVar(&files.Owners)
}
