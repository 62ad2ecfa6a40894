package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/pm2test"
)

type options struct {
	root    string // of the repository
	dir     string // of the demo's own files
	program string // pm25
	once    bool

	cleanup context.Context // done when cleaning up should not be polite any more
	hurry   context.CancelFunc
}

// run is the demo from the first check to the last process that ends.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	p := &progress{out: out, start: time.Now()}
	node, err := prerequisites(o)
	if err != nil {
		return err
	}
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	lock, err := takeLock(o.dir)
	if err != nil {
		return err
	}
	defer lock.Close()

	// Everything that the demo starts carries this in its environment, so that
	// it is found again whatever happened to the demo.
	mark := "PM25_DEMO=" + o.dir
	left, err := cleanStart(ctx, o.dir, mark)
	if err != nil {
		return err
	}
	if left > 0 {
		p.done("ended %d processes that an earlier demo left behind", left)
	}
	defer func() {
		if e := pm2test.KillWith(o.cleanup, 0, mark); e != nil {
			err = errors.Join(err, e)
			return
		}
		p.done("stopped; nothing is left running")
	}()

	base, err := freePorts(4300, 3)
	if err != nil {
		return err
	}
	home := filepath.Join(o.dir, "pm2")
	d, err := pm2test.Start(ctx, pm2test.Options{Version: pm2Version, Home: home, Env: []string{mark, fmt.Sprintf("SHOP_PORT_BASE=%d", base)}})
	if err != nil {
		return interrupted(ctx, o, err)
	}
	defer func() { err = errors.Join(err, d.Kill(o.cleanup)) }()
	p.done("PM2 %s runs on Node %s, in a home of its own", pm2Version, node)

	if err := d.StartEcosystem(ctx, filepath.Join(o.root, "examples", "ecosystem.config.js")); err != nil {
		return interrupted(ctx, o, err)
	}
	p.done("%d apps started", len(expected))

	st, hook, err := startWatching(ctx, o, p, home, mark)
	if err != nil {
		return interrupted(ctx, o, err)
	}
	defer hook.close()
	defer st.stop(o.cleanup)

	t := startTraffic(ctx, base)
	defer t.stop()
	p.done("a little traffic goes to the shop on http://127.0.0.1:%d/", base)

	rows, problem := settle(ctx, d, st)
	if ctx.Err() != nil {
		p.done("stopping")
		return interrupted(ctx, o, ctx.Err())
	}
	if problem == nil {
		p.done("PM2 and Prometheus agree on every app")
	} else {
		p.done("not as expected: %v", problem)
	}
	fmt.Fprintf(out, "\n%s\n%s\n", table(rows), hints(st.url, base, fromHere(o.program), fromHere(filepath.Join(o.dir, "data"))))
	p.done("payments crashes every few seconds: its alert will come")
	problem = errors.Join(problem, firstAlert(ctx, p, st, hook))
	if o.once {
		return problem
	}
	if ctx.Err() == nil {
		if problem != nil {
			p.done("not as expected: %v", problem)
		}
		fmt.Fprintf(out, "\nFurther alerts are printed as they come. Ctrl-C stops everything.\n\n")
	}
	for {
		select {
		case <-ctx.Done():
			p.done("stopping (%d requests were sent, %d answered)", t.sent.Load(), t.answered.Load())
			return nil
		case a := <-hook.alerts:
			p.told(a)
		case <-st.exited:
			return st.failure()
		}
	}
}

// startWatching starts a webhook and `pm25 up` that tells it, and returns when
// the live page answers.
func startWatching(ctx context.Context, o options, p *progress, home, mark string) (*stack, *webhook, error) {
	port, err := freePorts(9725, 2)
	if err != nil {
		return nil, nil, err
	}
	hook, err := startWebhook(port + 1)
	if err != nil {
		return nil, nil, err
	}
	st, err := startStack(o, home, mark, port, hook.url)
	if err != nil {
		hook.close()
		return nil, nil, err
	}
	if err := st.waitReady(ctx); err != nil {
		st.stop(o.cleanup)
		hook.close()
		return nil, nil, err
	}
	p.done("pm25 up is ready: the live page is at %s/", st.url)
	return st, hook, nil
}

// firstAlert waits for the crash loop's alert, as long as it may take, and
// follows its links.
func firstAlert(ctx context.Context, p *progress, st *stack, hook *webhook) error {
	ctx, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	a, err := hook.await(ctx, p, "PM2CrashLoop", "payments")
	if err != nil {
		return err
	}
	for _, link := range a.links() {
		if err := st.answers(ctx, link[1]); err != nil {
			return fmt.Errorf("the link to the %s: %w", link[0], err)
		}
	}
	p.done("all %d links of the message answer", len(a.links()))
	return nil
}

// settle waits until all apps are in the states that they should be in, in
// PM2's words and in the metrics, and returns the last comparison and what was
// still wrong in it.
func settle(ctx context.Context, d *pm2test.Daemon, st *stack) (rows []row, problem error) {
	ctx, cancel := context.WithTimeout(ctx, 60*time.Second)
	defer cancel()
	for {
		procs, err := d.List(ctx)
		if err == nil {
			var metrics samples
			if metrics, err = st.look(ctx); err == nil {
				rows = compare(procs, metrics)
				err = check(rows)
			}
		}
		// An error of the deadline itself says less than the one before it.
		if problem == nil || ctx.Err() == nil {
			problem = err
		}
		if err == nil {
			return rows, nil
		}
		select {
		case <-ctx.Done():
			return rows, problem
		case <-st.exited:
			return rows, st.failure()
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// interrupted makes nothing of an error that a Ctrl-C caused, unless the demo
// was there to check something.
func interrupted(ctx context.Context, o options, err error) error {
	if ctx.Err() == nil {
		return err
	}
	if o.once {
		return errors.New("interrupted")
	}
	return nil
}

// progress prints one line a step, with the time since the start.
type progress struct {
	out   io.Writer
	start time.Time
}

func (p *progress) done(format string, args ...any) {
	fmt.Fprintf(p.out, "%5.1fs  %s\n", time.Since(p.start).Seconds(), fmt.Sprintf(format, args...))
}

// told prints an alert.
func (p *progress) told(a told) {
	p.done("the webhook is told:")
	fmt.Fprintf(p.out, "%s\n", strings.TrimPrefix(a.text(), "\n"))
}
