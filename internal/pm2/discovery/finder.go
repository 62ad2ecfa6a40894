package discovery

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Finder finds daemons, pass by pass, and remembers them. Its methods may be called
// concurrently.
type Finder struct {
	opts       Options
	policy     Policy
	configured []namedHome
	log        log.Logger

	mu       sync.Mutex
	known    *knownFile
	spaces   spaceScanner
	verdicts map[string]verdict
	names    nameCache
	rejected rejections
}

// New makes a Finder and reads the known daemons. A known file of a newer version or
// of another program is an error and is left alone.
func New(o Options) (*Finder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	policy, err := o.policy()
	if err != nil {
		return nil, err
	}
	homes, err := parseHomes(o.Homes, o.Getenv("HOME"))
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	f := &Finder{
		opts: o, policy: policy, configured: homes, log: o.Logger,
		known:    newKnownFile(o.KnownFile, o.Logger),
		spaces:   spaceScanner{procRoot: o.ProcRoot},
		verdicts: map[string]verdict{},
		names:    nameCache{procRoot: o.ProcRoot},
		rejected: rejections{log: o.Logger, report: o.OnRejected},
	}
	if err := f.known.refresh(); err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	return f, nil
}

// Policy is what Dial needs to know of this Finder's options.
func (f *Finder) Policy() Policy {
	p := f.policy
	p.UIDs = slices.Clone(p.UIDs)
	return p
}

// Find makes one pass and returns all daemons that run, ran not long ago, or are
// configured, sorted by label. The first sight of a socket opens and closes one
// connection to each of the two sockets; later passes do not connect.
//
// The list is good even with an error: the error says what could not be looked at.
func (f *Finder) Find(ctx context.Context) ([]Candidate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.opts.Now()
	if err := f.known.refresh(); err != nil {
		f.known.complain(err)
	}
	var seen []sighting
	var err error
	f.rejected.begin()
	if len(f.configured) > 0 {
		seen = f.lookAtConfigured()
	} else {
		seen, err = f.look(ctx, now)
	}
	rows := f.bound(join(seen, f.alive(now)))
	list := f.name(rows, now)
	if ctx.Err() == nil && err == nil {
		f.rejected.end()
	}
	if len(f.configured) == 0 {
		if c, ok := f.fallback(list); ok {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(a, b Candidate) int { return strings.Compare(a.Label, b.Label) })
	return list, err
}

// alive are the entries that are not yet to be forgotten.
func (f *Finder) alive(now time.Time) []entry {
	entries := slices.DeleteFunc(slices.Clone(f.known.entries), func(e entry) bool {
		return now.Sub(e.LastSeen) > f.opts.ForgetAfter
	})
	for i, e := range entries {
		if e.LastSeen.After(now) { // the clock was set back
			entries[i].LastSeen = now.UTC().Truncate(time.Second)
		}
	}
	return entries
}

// maxUnproven bounds the new daemons of one owner that cannot be proven because they
// may not be dialed: anyone can make sockets, and nobody may crowd out the others.
const maxUnproven = 8

// bound keeps the number of daemons below the limit. Those that are configured or
// known keep their place; then come those of our own user.
func (f *Finder) bound(rows []row) []row {
	self := f.opts.EUID()
	rank := func(r row) int {
		switch {
		case r.seen != nil && r.seen.Configured:
			return 0
		case r.known != nil:
			return 1
		case r.seen.Refused == nil && r.seen.OwnerUID == self:
			return 2
		case r.seen.Refused == nil:
			return 3
		}
		return 4
	}
	slices.SortStableFunc(rows, func(a, b row) int { return rank(a) - rank(b) })
	unproven := map[int]int{}
	kept := rows[:0]
	for _, r := range rows {
		ok := len(kept) < f.opts.MaxDaemons
		if ok && rank(r) == 4 {
			unproven[r.seen.OwnerUID]++
			ok = unproven[r.seen.OwnerUID] <= maxUnproven
		}
		if ok {
			kept = append(kept, r)
		} else if r.seen != nil {
			f.rejected.add(r.seen.RPCPath(), ReasonTooMany,
				fmt.Errorf("too many daemons: at most %d are watched, and %d of one user that may not be dialed", f.opts.MaxDaemons, maxUnproven))
		}
	}
	return kept
}

// name gives the labels, remembers them, and makes the result.
func (f *Finder) name(rows []row, now time.Time) []Candidate {
	names := make([]naming, len(rows))
	for i, r := range rows {
		names[i] = r.naming()
	}
	labels := assignLabels(names)
	var list []Candidate
	entries := make([]entry, 0, len(rows))
	for i, r := range rows {
		entries = append(entries, r.entry(labels[i], now))
		// With homes configured exactly those are found; others are only remembered.
		if r.seen != nil || len(f.configured) == 0 {
			list = append(list, r.candidate(labels[i]))
		}
	}
	if err := f.known.update(entries, f.opts.ForgetAfter); err != nil {
		f.known.complain(err)
	}
	return list
}

// Forget drops a daemon from the known ones. One that still runs is found again.
func (f *Finder) Forget(label string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known.forget(label)
}

// Close writes down when the daemons were last seen.
func (f *Finder) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.known.save()
}

// complain logs a trouble with the known file once until it is over or another one.
func (k *knownFile) complain(err error) {
	if text := err.Error(); text != k.complaint {
		k.complaint = text
		level.Warn(k.log).Log("msg", "known daemons are kept in memory only", "err", text)
	}
}
