// Command demo shows PM25 on a few real apps: it starts a PM2 of its own, the
// example apps and `pm25 up`, sends them a little traffic, prints what PM2 says
// of them beside what Prometheus says, and the alerts that come. Ctrl-C ends all
// of it.
//
// It uses a PM2_HOME of its own and loopback only; a PM2 that already runs on the
// machine is not touched.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/pm25/pm25/internal/pm2test"
)

func main() {
	root := pm2test.Root()
	o := options{root: root}
	flag.BoolVar(&o.once, "once", false, "check that every app is in the state it should be in and that the alert comes, print, and end")
	flag.StringVar(&o.program, "program", filepath.Join(root, "bin", "pm25"), "the pm25 to run")
	flag.StringVar(&o.dir, "dir", filepath.Join(root, ".cache", "demo"), "where the demo keeps its files")
	flag.Parse()

	// A first signal ends the demo, a second one ends it without waiting for
	// the apps to end politely. Output that nobody reads any more (`| head`)
	// must not kill the demo before it has cleaned up.
	signal.Ignore(syscall.SIGPIPE)
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	ctx, stop := context.WithCancel(context.Background())
	o.cleanup, o.hurry = context.WithCancel(context.Background())
	go func() {
		<-signals
		stop()
		<-signals
		o.hurry()
	}()

	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n", err)
		os.Exit(1)
	}
}
