package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/extplan"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/discovery"
	"github.com/pm25/pm25/internal/safefile"
)

// extTimeout bounds how long one daemon may take.
const extTimeout = 10 * time.Second

// ExtPlan prints how pm25-ext is turned on and off for each app that can be
// found. It changes nothing.
func ExtPlan(ctx context.Context, o Options, file string, out io.Writer) error {
	daemons, err := extDaemons(ctx, o, file)
	for i := range daemons {
		if i > 0 {
			fmt.Fprintln(out)
		}
		err = errors.Join(err, daemons[i].Write(out, file))
	}
	return err
}

// ExtCheck fails where an app loads a file that is not there: it would not
// start again.
func ExtCheck(ctx context.Context, o Options, file string, out io.Writer) error {
	daemons, err := extDaemons(ctx, o, file)
	loaded := 0
	for i := range daemons {
		d := &daemons[i]
		for j := range d.Apps {
			a := &d.Apps[j]
			if !a.Loads() {
				continue
			}
			loaded++
			says := fmt.Sprintf("%s: app %s loads %s", d.Label, a.Name, file)
			switch {
			case d.Unseen != nil:
				err = errors.Join(err, fmt.Errorf("%s: %w", says, d.Unseen))
			case d.File == extplan.Missing:
				err = errors.Join(err, fmt.Errorf("%s, which is not there: it will not start again", says))
			case d.File == extplan.Empty:
				fmt.Fprintln(out, says+", which is empty: it starts, and is not measured")
			default:
				fmt.Fprintln(out, says+", which is there")
			}
		}
	}
	if err == nil && loaded == 0 {
		fmt.Fprintf(out, "no app loads %s\n", file)
	}
	return err
}

// extDaemons asks each daemon for its apps. The list is good even with an
// error.
func extDaemons(ctx context.Context, o Options, file string) ([]extplan.Daemon, error) {
	if !path.IsAbs(file) || strings.ContainsFunc(file, func(r rune) bool { return r < ' ' || strings.ContainsRune("\"'\\$`!", r) }) {
		return nil, fmt.Errorf("--ext.path is %q: it has to be an absolute path without quotes", file)
	}
	finder, err := discovery.New(discovery.Options{
		Homes: o.Homes, AllowedUsers: o.Users, ForgetAfter: o.ForgetAfter, ProcRoot: o.ProcRoot, Now: o.Now, Logger: o.Logger,
	})
	if err != nil {
		return nil, err
	}
	defer finder.Close()
	found, failed := finder.Find(ctx)
	if len(found) == 0 && failed == nil {
		return nil, errors.New("no PM2 daemon was found: name its home with --pm2.home")
	}
	var daemons []extplan.Daemon
	for _, c := range found {
		d, err := extDaemon(ctx, c, finder.Policy(), file)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", c.Label, err))
			continue
		}
		daemons = append(daemons, d)
	}
	return daemons, failed
}

func extDaemon(ctx context.Context, c discovery.Candidate, policy discovery.Policy, file string) (extplan.Daemon, error) {
	ctx, cancel := context.WithTimeout(ctx, extTimeout)
	defer cancel()
	conn, pub, peer, err := discovery.Dial(ctx, c, policy)
	if err != nil {
		return extplan.Daemon{}, err
	}
	_ = pub.Close() // nobody would read it
	rpc := pm2.NewRPC(conn)
	defer rpc.Close()
	rpc.LookFor(file)
	list, err := rpc.List(ctx)
	if err != nil {
		return extplan.Daemon{}, err
	}
	d := extplan.Daemon{Label: c.Label, Home: c.Path(""), Prefix: pm2Prefix(c, peer.UID), Apps: extplan.Apps(list)}
	info, err := safefile.Stat(c.Root, file, peer.UID)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.File = extplan.Missing
	case err != nil && !errors.Is(err, safefile.ErrOwner): // anybody's will do
		d.Unseen = err
	case err == nil && info.Size() == 0:
		d.File = extplan.Empty
	}
	return d, nil
}

// pm2Prefix makes the command pm2 speak to a daemon that it would not find by
// itself.
func pm2Prefix(c discovery.Candidate, uid int) string {
	var prefix string
	if home, err := os.UserHomeDir(); err == nil && uid == os.Geteuid() && os.Getenv("PM2_HOME") == "" && c.Home == path.Join(home, ".pm2") {
		return ""
	}
	if uid != os.Geteuid() && c.OwnerName != "" {
		prefix = "sudo -u " + quoted(c.OwnerName) + " "
	}
	return prefix + "env PM2_HOME=" + quoted(c.Home) + " "
}

// quoted is a word as a shell takes it.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+@:") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
