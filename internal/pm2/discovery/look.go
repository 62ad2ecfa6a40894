package discovery

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
	"time"
)

// verdict is what a connection told about a socket. It holds for that socket only,
// which never changes hands; what was judged foreign is looked at again now and then,
// for its surroundings may have been put right.
type verdict struct {
	peer  Peer
	err   error
	until time.Time // zero: as long as the socket lives
}

const (
	foreignFor = 5 * time.Minute
	// Paths looked for in other mount namespaces in one pass. A path that is not in
	// ours may have to be looked for in all, and anyone can make such paths.
	maxElsewhere = 2048
)

// lookAtConfigured makes the candidates of the configuration. They are listed
// whatever there is; nothing is connected to.
func (f *Finder) lookAtConfigured() []sighting {
	var seen []sighting
	for _, h := range f.configured {
		s := sighting{Candidate: Candidate{Home: h.home, Root: h.root, Configured: true, OwnerUID: -1}, name: h.name}
		sp := space{}
		if h.root != "" {
			sp.pid = strings.TrimSuffix(strings.TrimPrefix(h.root, "/proc/"), "/root")
			sp.net, sp.mnt = f.spaces.read(sp.pid)
			s.Container = f.names.container(h.root, sp)
			s.mount = sp.mnt
		}
		id, err := inspect(s.Candidate, f.policy)
		s.Listening = err == nil || errors.Is(err, ErrRefused)
		if errors.Is(err, ErrRefused) || errors.Is(err, ErrNotAllowed) {
			s.Refused = err
		}
		if id.uid < 0 {
			id.uid = ownerOf(s.Candidate)
		}
		f.setOwner(&s, sp, id.uid)
		seen = append(seen, s)
	}
	return seen
}

// look finds what listens in all namespaces that we may look into.
func (f *Finder) look(ctx context.Context, now time.Time) ([]sighting, error) {
	own, others := f.spaces.scan()
	l := &looker{f: f, now: now, budget: maxElsewhere, claimed: map[identity]bool{}, used: map[string]verdict{}}
	err := l.table(ctx, f.opts.ProcRoot+"/net/unix", own, others)
	if err != nil {
		err = fmt.Errorf("find PM2 daemons: %w", err)
	}
	done := map[string]bool{own.net: true}
	for _, sp := range others {
		if done[sp.net] || ctx.Err() != nil {
			continue
		}
		// A process may end at any time; its namespace is looked at next time then.
		if l.table(ctx, f.opts.ProcRoot+"/"+sp.pid+"/net/unix", own, others, sp.net) == nil {
			done[sp.net] = true
		}
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		f.verdicts = l.used
	}
	return l.seen, err
}

// looker is one pass over the tables of listening sockets.
type looker struct {
	f       *Finder
	now     time.Time
	claimed map[identity]bool
	used    map[string]verdict
	seen    []sighting
	budget  int // looks into other mount namespaces that are left
}

// table looks at one network namespace, ours unless another is given.
func (l *looker) table(ctx context.Context, file string, own space, others []space, net ...string) error {
	r, err := os.Open(file)
	if err != nil {
		return err
	}
	defer r.Close()
	list, err := parseTable(r, func(p string) {
		l.f.rejected.add(p, ReasonBadPath, errors.New("a home of PM2 has an absolute path"))
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	of := own.net
	if len(net) > 0 {
		of = net[0]
	}
	// The mount namespaces in which a path of this table may mean something: ours
	// first, for what we can reach directly is best reached so.
	spaces := []space{own}
	for _, sp := range others {
		if sp.net == of && sp.mnt != own.mnt {
			spaces = append(spaces, sp)
		}
	}
	for _, h := range list {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !h.pub {
			l.f.rejected.add(path.Join(h.home, rpcSock), ReasonNoPubSocket, errors.New("nothing listens on a pub.sock beside it"))
			continue
		}
		l.home(ctx, h, of, spaces)
	}
	return nil
}

// home finds the mount namespaces that a listening path belongs to: as many as there
// are listeners with that path.
func (l *looker) home(ctx context.Context, h listener, net string, spaces []space) {
	var refused *sighting
	var foreignErr error
	var where string
	found := 0
	for i, sp := range spaces {
		if found == len(h.rpc) {
			return
		}
		s := sighting{Candidate: Candidate{Home: h.home, OwnerUID: -1, Listening: true}}
		if i > 0 {
			if l.budget--; l.budget < 0 {
				return
			}
			s.Root = l.f.opts.ProcRoot + "/" + sp.pid + "/root"
			s.mount = sp.mnt
			s.Container = "?" // its name is read only when there is something to name
		}
		id, err := inspect(s.Candidate, l.f.policy)
		if err == nil || id.ino != 0 {
			if l.claimed[id] {
				continue // reached already, another way
			}
		}
		if err == nil {
			err = l.prove(ctx, &s, id, net, h)
		}
		switch {
		case errors.Is(err, ErrNotRunning):
			continue
		case errors.Is(err, ErrForeign):
			foreignErr, where = err, s.RPCPath()
			continue
		case errors.Is(err, ErrRefused) && id.ino == 0:
			// Nothing there can be seen: perhaps another namespace shows the socket.
			if refused == nil {
				s.Refused = err
				l.f.describe(&s, sp, ownerOf(s.Candidate))
				refused = &s
			}
			continue
		case errors.Is(err, ErrRefused), errors.Is(err, ErrNotAllowed):
			s.Refused = err
		case err != nil:
			// Not proven and not refuted, such as a daemon that hangs: next time. If it
			// is known already it stays listed.
			found++
			continue
		}
		l.claimed[id] = true
		l.f.describe(&s, sp, id.uid)
		l.seen = append(l.seen, s)
		found++
	}
	if found > 0 {
		return
	}
	switch {
	case refused != nil:
		l.seen = append(l.seen, *refused)
	case foreignErr != nil:
		l.f.rejected.add(where, ReasonOf(foreignErr), foreignErr)
	default:
		l.f.rejected.add(path.Join(h.home, rpcSock), ReasonUnreachable,
			errors.New("it listens, but in no mount namespace that the agent may look into; run the agent as root, or one in that container"))
	}
}

// prove connects once in the life of a socket.
func (l *looker) prove(ctx context.Context, s *sighting, id identity, net string, h listener) error {
	key := strings.Join([]string{
		net, s.mount, h.home, strconv.FormatUint(id.dev, 16), strconv.FormatUint(id.ino, 16), strconv.Itoa(id.uid), strings.Join(h.rpc, ","),
	}, "\x00")
	v, ok := l.f.verdicts[key]
	if !ok || !v.until.IsZero() && !l.now.Before(v.until) {
		rpc, pub, peer, err := Dial(ctx, s.Candidate, l.f.policy)
		if err == nil {
			rpc.Close()
			pub.Close()
		}
		v = verdict{peer: peer, err: err}
		switch {
		case errors.Is(err, ErrForeign), errors.Is(err, ErrNotRunning):
			v.until = l.now.Add(foreignFor)
		case err != nil:
			return err // not kept
		}
	}
	l.used[key] = v
	if v.err == nil && s.Root != "" && v.peer.PID > 0 {
		// Its own process is a surer way in than any other of that namespace.
		s.Root = l.f.opts.ProcRoot + "/" + strconv.Itoa(v.peer.PID) + "/root"
	}
	return v.err
}

// describe fills in what people call it.
func (f *Finder) describe(s *sighting, sp space, uid int) {
	s.Container = ""
	if s.Root != "" {
		s.Container = f.names.container(s.Root, sp)
	}
	f.setOwner(s, sp, uid)
}

func (f *Finder) setOwner(s *sighting, sp space, uid int) {
	s.OwnerUID = uid
	name, home := f.names.user(s.Root, sp, uid)
	s.OwnerName = name
	if name == "" && uid >= 0 {
		s.OwnerName = strconv.Itoa(uid)
	}
	s.isDefault = isDefaultHome(s.Home, home)
}

// fallback is the home that PM2 would take for our own user, listed as not running
// when nothing listens anywhere, so that `no daemon` does not look like `no agent`.
func (f *Finder) fallback(list []Candidate) (Candidate, bool) {
	home, named := f.opts.Getenv("PM2_HOME"), true
	if home == "" {
		home, named = f.opts.Getenv("HOME"), false
		if home != "" {
			home = path.Join(home, ".pm2")
		}
	}
	if !path.IsAbs(home) {
		return Candidate{}, false
	}
	home = path.Clean(home)
	names := []naming{}
	for _, c := range list {
		if c.Listening || c.Root == "" && c.Container == "" && c.Home == home {
			return Candidate{}, false
		}
		names = append(names, naming{key: c.Label, given: c.Label, rank: labelKnown, home: c.Home})
	}
	info, err := os.Lstat(home)
	if !named && (err != nil || !info.IsDir()) {
		return Candidate{}, false
	}
	s := sighting{Candidate: Candidate{Home: home}}
	f.setOwner(&s, space{}, ownerOf(s.Candidate))
	names = append(names, row{seen: &s}.naming())
	s.Label = assignLabels(names)[len(names)-1]
	return s.Candidate, true
}
