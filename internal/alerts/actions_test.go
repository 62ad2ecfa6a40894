//go:build alerts && linux

package alerts

import (
	"testing"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

// actionEvery is how much time operators leave between two actions.
const actionEvery = 35 * time.Second

// action is something that operators do.
type action struct {
	what string
	do   func(t *testing.T, c *calm)
}

// pm2 are commands, one after the other.
func pm2(what string, commands ...[]string) action {
	return action{what, func(t *testing.T, c *calm) {
		for _, args := range commands {
			c.Must(t, args...)
		}
	}}
}

// deploy is a new version of an app, and the command that brings it.
func deploy(app string, args ...string) action {
	return action{"deploy of " + app, func(t *testing.T, c *calm) {
		folder := app
		if app == ordersApp {
			folder = "order-service"
		}
		c.shop.release(t, folder)
		c.Must(t, append(args, app)...)
	}}
}

// actions are done in turn, again and again.
var actions = []action{
	pm2("restart", []string{"restart", "shop-web"}),
	pm2("restart of a cluster", []string{"restart", "shop-api"}),
	pm2("reload of a cluster", []string{"reload", "shop-api"}),
	deploy("shop-api", "reload"),
	pm2("scale up", []string{"scale", "shop-api", "4"}),
	deploy("shop-web", "restart", "--update-env"),
	pm2("scale down", []string{"scale", "shop-api", "2"}),
	pm2("stop", []string{"stop", "mailer"}),
	pm2("start", []string{"start", "mailer"}),
	pm2("three restarts in a row", []string{"restart", "mailer"}, []string{"restart", "mailer"}, []string{"restart", "mailer"}),
	pm2("reset", []string{"reset", "all"}),
	pm2("flush of logs", []string{"flush"}),
	pm2("run of a job by hand", []string{"restart", "nightly-backup"}),
	{"delete and start anew", func(t *testing.T, c *calm) {
		c.Must(t, "delete", "mailer")
		c.App(t, c.shop.spec("mailer"))
	}},
	{"an app that is not saved", func(t *testing.T, c *calm) { c.App(t, pm2test.AppSpec{Name: "try-out", NodeArgs: preload()}) }},
	pm2("start of what was off", []string{"start", "legacy"}),
	pm2("stop of what was off", []string{"stop", "legacy"}),
	pm2("delete of what was not saved", []string{"delete", "try-out"}),
	pm2("restart of all", []string{"restart", "all"}),
	pm2("save", []string{"save"}),
	pm2("reload of all", []string{"reload", "all"}),
	pm2("update of PM2", []string{"update"}),
	deploy(ordersApp, "restart"),
	pm2("a namespace restarted", []string{"restart", ordersNamespace}),
}
