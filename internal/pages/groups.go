package pages

import (
	"cmp"
	"hash/fnv"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// crashReasons are the ends that nobody asked for.
var crashReasons = []string{"crash", "signal", "oom_kill", "memory_limit", "errored"}

// condition is how a process is, the worst first: the order of the page.
type condition int

const (
	errored    condition = iota // PM2 has given up on it
	looping                     // it crashes again and again
	waiting                     // PM2 waits before it starts it again
	gone                        // its host or PM2 does not answer: this is how it was
	fallen                      // stopped, after its app crashed
	moving                      // on its way, or in a state nobody knows
	restarted                   // online again, after its app crashed
	running                     // online
	goneCalmly                  // was stopped when it was seen last
	stopped                     // somebody stopped it
)

// condition decides by what is known of a process.
func (p process) condition() condition {
	crashed := p.Of.crashed() > 0
	switch {
	case !p.Seen.IsZero() && p.State == "stopped":
		return goneCalmly
	case !p.Seen.IsZero():
		return gone
	case p.State == "errored":
		return errored
	case p.Of.Crashes >= loopingFrom && p.Recent > 0 && p.State != "stopped":
		return looping
	case p.State == "waiting_restart":
		return waiting
	case p.State == "stopped" && crashed:
		return fallen
	case p.State == "stopped":
		return stopped
	case p.State != "online" && p.State != "one_launch":
		return moving
	case crashed && p.Restarts > 0:
		return restarted
	default:
		return running
	}
}

// crashed counts the ends of the last hour that nobody asked for.
func (a *appHere) crashed() float64 {
	var n float64
	for _, reason := range crashReasons {
		n += a.Exits[reason]
	}
	return n
}

// group is what the page shows in one line. What needs a look is shown for each
// host; what runs well, or was stopped, is one line for all hosts.
type group struct {
	groupKey
	Processes []process
	Exits     map[string]float64 // of its apps, unless a worse group shows them
}

type groupKey struct {
	Condition      condition
	Namespace, App string // empty: all apps of a daemon
	Daemon         string
	Host           string // empty: all
	State          string // where a condition has several
}

// id names a group in links.
func (k groupKey) id() string {
	h := fnv.New64a()
	for _, part := range []string{strconv.Itoa(int(k.Condition)), k.Namespace, k.App, k.Daemon, k.Host, k.State} {
		_, _ = h.Write([]byte(part + "\x00")) // a hash takes all
	}
	return strconv.FormatUint(h.Sum64(), 36)
}

// group is the one that a process belongs to.
func (p process) group() groupKey {
	k := groupKey{Condition: p.condition(), Namespace: p.Namespace, App: p.App, Daemon: p.Daemon.Name, Host: p.Daemon.Host}
	switch k.Condition {
	case running, stopped:
		k.Host = ""
	case gone, moving:
		k.State = p.State
	}
	return k
}

// manyGone are the daemons that are gone with so many groups that these would
// push all else off the page: they become one.
func manyGone(processes []process) map[source]bool {
	const most = 5
	of := map[source]map[groupKey]bool{}
	for _, p := range processes {
		if p.Seen.IsZero() {
			continue
		}
		if of[p.Daemon] == nil {
			of[p.Daemon] = map[groupKey]bool{}
		}
		of[p.Daemon][p.group()] = true
	}
	out := map[source]bool{}
	for src, groups := range of {
		out[src] = len(groups) > most
	}
	return out
}

// groupsOf puts processes into groups, worst first.
func groupsOf(processes []process) []group {
	groups := map[groupKey]*group{}
	folded := manyGone(processes)
	for _, p := range processes {
		k := p.group()
		if folded[p.Daemon] {
			k = groupKey{Condition: gone, Daemon: k.Daemon, Host: k.Host}
		}
		if groups[k] == nil {
			groups[k] = &group{groupKey: k, Exits: map[string]float64{}}
		}
		groups[k].Processes = append(groups[k].Processes, p)
	}
	out := make([]group, 0, len(groups))
	for _, g := range groups {
		slices.SortFunc(g.Processes, func(a, b process) int {
			return cmp.Or(natural(a.Daemon.Host, b.Daemon.Host), natural(a.App, b.App), natural(a.Namespace, b.Namespace), natural(a.ID, b.ID))
		})
		out = append(out, *g)
	}
	// Ends are counted for an app: they stand with the worst of its processes.
	slices.SortFunc(out, func(a, b group) int { return cmp.Compare(a.Condition, b.Condition) })
	told := map[*appHere]bool{}
	for i := range out {
		for _, p := range out[i].Processes {
			if !told[p.Of] {
				told[p.Of] = true
				for reason, n := range p.Of.Exits {
					out[i].Exits[reason] += n
				}
			}
		}
	}
	slices.SortFunc(out, worstFirst)
	return out
}

// worstFirst orders groups: by condition, then by crashes, then by name.
func worstFirst(a, b group) int {
	crashes := func(g group) float64 { return (&appHere{Exits: g.Exits}).crashed() }
	return cmp.Or(
		cmp.Compare(a.Condition, b.Condition),
		cmp.Compare(crashes(b), crashes(a)),
		natural(a.App, b.App), natural(a.Namespace, b.Namespace),
		natural(a.Host, b.Host), natural(a.Daemon, b.Daemon), strings.Compare(a.State, b.State),
	)
}

// youngest is the last start of any of its processes; mixed tells whether
// others are older.
func (g group) youngest() (started time.Time, mixed bool) {
	for i, p := range g.Processes {
		mixed = mixed || i > 0 && !p.Started.Equal(g.Processes[0].Started)
		if p.Started.After(started) {
			started = p.Started
		}
	}
	return started, mixed
}

func (g group) sum(of func(p process) float64) float64 {
	var n float64
	for _, p := range g.Processes {
		n += of(p)
	}
	return n
}

// distinct lists the different values of a property, in order.
func (g group) distinct(of func(p process) string) []string {
	found := map[string]bool{}
	for _, p := range g.Processes {
		if v := of(p); v != "" {
			found[v] = true
		}
	}
	return slices.SortedFunc(maps.Keys(found), natural)
}

// natural orders names as people do: web-2 before web-10.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		n, m := digits(x), digits(y)
		if n > 0 && m > 0 {
			i, j := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
			if c := cmp.Or(cmp.Compare(len(i), len(j)), strings.Compare(i, j)); c != 0 {
				return c
			}
			x, y = x[n:], y[m:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// digits is how many digits a text begins with.
func digits(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	if n < 0 {
		return len(s)
	}
	return n
}

// number reads a pm_id.
func number(id string) int {
	n, err := strconv.Atoi(id)
	if err != nil {
		return math.MinInt
	}
	return n
}
