//go:build arrivals

package arrivals

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pm25/pm25/internal/api"
	"github.com/pm25/pm25/internal/doctable"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestOneBugIsOneGroup on two hosts, in fork mode without pm25-ext and in
// cluster mode with it, across deploys; and its state is what the versions
// that it is seen in make of it.
func TestOneBugIsOneGroup(t *testing.T) {
	var mu sync.Mutex
	told := map[string]*story{}
	t.Run("all", func(t *testing.T) {
		for _, major := range pm2test.Versions() {
			t.Run("PM2 "+major, func(t *testing.T) {
				t.Parallel()
				s := tell(t, major)
				mu.Lock()
				defer mu.Unlock()
				told[major] = s
			})
		}
	})
	table := doctable.New("step", "group", "count, PM2 7", "state", "count, PM2 6", "state", "count, PM2 5", "state")
	for i := range longest(told) {
		row := []any{"", ""}
		for _, major := range pm2test.Versions() {
			if s := told[major]; s != nil && i < len(s.steps) {
				row[0], row[1] = s.steps[i].what, s.steps[i].bug
				row = append(row, s.steps[i].count, s.steps[i].state)
			} else {
				row = append(row, "–", "–")
			}
		}
		table.Add(row...)
	}
	doc.Write(t, "states", table)
}

func longest(told map[string]*story) (steps int) {
	for _, s := range told {
		steps = max(steps, len(s.steps))
	}
	return steps
}

// story is what happens to the groups of the shop.
type story struct {
	t      *testing.T
	store  *store
	shops  []*shop
	ids    map[string]string // groups, by bug
	counts map[string]uint64
	steps  []step
}

type step struct {
	what, bug string
	count     uint64
	state     string
}

const (
	cart = "/cart"
	pay  = "/pay"
)

func tell(t *testing.T, major string) *story {
	s := &story{t: t, store: newStore(t), ids: map[string]string{}, counts: map[string]uint64{}}
	token := s.store.tokenFile(t, "shop")
	for i, folder := range []string{"srv/shop", "home/deploy/releases/20261126/shop"} {
		d := pm2test.New(t, pm2test.Options{Version: major})
		h := newHost(t, d, s.store, fmt.Sprintf("web-%d", i+1), token)
		s.shops = append(s.shops, openShop(t, h, filepath.Join(t.TempDir(), folder), "1.0.0", 2*i, i == 1))
	}
	a, b := s.shops[0], s.shops[1]

	s.occurs("1.0.0, first host", a, cart, "new")
	s.occurs("1.0.0, another bug", a, pay, "new")
	s.occurs("1.0.0, second host", b, cart, "new")
	a.deploy("1.1.0", 7)
	b.deploy("1.1.0", 7)
	s.occurs("1.1.0, on other lines", a, cart, "new")
	s.occurs("1.1.0, second host", b, cart, "new")

	s.asks("resolved", cart, api.Change{State: "resolved"})
	s.occurs("seen in 1.1.0 again", b, cart, "resolved")
	b.deploy("1.0.0", 0)
	s.occurs("rolled back to 1.0.0", b, cart, "resolved")
	a.deploy("1.2.0", 3)
	s.occurs("1.2.0", a, cart, "regressed")
	s.sees(pay, "new") // nobody has touched it

	s.asks("resolved in 1.3.0", cart, api.Change{State: "resolved", InVersion: "1.3.0"})
	s.occurs("seen in 1.2.0 again", a, cart, "resolved")
	a.deploy("1.3.0", 1)
	s.occurs("1.3.0", a, cart, "resolved")
	b.deploy("1.4.0", 4)
	s.occurs("1.4.0", b, cart, "regressed")

	s.asks("resolved in the next deploy", cart, api.Change{State: "resolved", InNextDeploy: true})
	s.occurs("seen in 1.4.0 again", b, cart, "resolved")
	a.deploy("1.4.0", 4)
	s.occurs("1.4.0, on the first host too", a, cart, "resolved")
	a.deploy("1.5.0", 2)
	s.occurs("1.5.0", a, cart, "regressed")

	s.asks("muted until 2 more", cart, api.Change{State: "muted", Count: 2})
	b.deploy("1.5.0", 2)
	s.occurs("1.5.0, one more", b, cart, "muted")
	a.deploy("1.6.0", 0)
	s.occurs("1.6.0, two more", a, cart, "ongoing")
	s.adds()
	return s
}

// occurs runs into a bug, waits until that has arrived, and looks at its group.
func (s *story) occurs(what string, at *shop, bug, state string) {
	s.t.Helper()
	at.hit(bug)
	s.counts[bug]++
	var g api.Group
	pm2test.Eventually(s.t, patience, func() error {
		all := s.store.groups(s.t, "shop", shopName)
		if len(all) > len(s.counts) {
			s.t.Fatalf("%s: %d groups: %+v", what, len(all), all)
		}
		for _, g = range all {
			if strings.Contains(g.Culprit, strings.TrimPrefix(bug, "/")+".js") && g.Count >= s.counts[bug] {
				return nil
			}
		}
		return fmt.Errorf("%s: want %s %d times: %+v", what, bug, s.counts[bug], all)
	})
	if id := s.ids[bug]; id != "" && id != g.ID {
		s.t.Errorf("%s: another group of the same bug", what)
	}
	s.ids[bug] = g.ID
	s.note(what, bug, state, g)
}

// asks changes the group's state, as a person does.
func (s *story) asks(what, bug string, c api.Change) {
	s.t.Helper()
	s.note(what, bug, c.State, s.store.change(s.ids[bug], c))
}

// sees looks at a group to which nothing has happened.
func (s *story) sees(bug, state string) {
	s.t.Helper()
	s.note("meanwhile", bug, state, s.store.group(s.t, s.ids[bug]).Group)
}

func (s *story) note(what, bug, state string, g api.Group) {
	s.t.Helper()
	if g.State != state || g.Count != s.counts[bug] {
		s.t.Errorf("%s: the group of %s is %s with %d, want %s with %d: %+v", what, bug, g.State, g.Count, state, s.counts[bug], g)
	}
	s.steps = append(s.steps, step{what, strings.TrimPrefix(bug, "/"), g.Count, g.State})
}

// adds holds what was made to what the store, LogQL and the agents say.
func (s *story) adds() {
	s.t.Helper()
	made := map[string]int{}
	for _, at := range s.shops {
		n := 0
		for bug, times := range at.made {
			made[bug] += times
			n += times
		}
		if got := at.sumOf(s.t, "pm2_app_exceptions_total", shopName); got != n {
			s.t.Errorf("%s: %d exceptions, its agent counts %d", at.name, n, got)
		}
	}
	for bug, n := range made {
		d := s.store.group(s.t, s.ids[bug])
		query := `sum by (fingerprint) (sum_over_time({kind="exception", app="shop"} | fingerprint="` + d.Group.Fingerprint + `" | unwrap occurrences [1h]))`
		if loki := s.store.loki(s.t, query, "fingerprint")[d.Group.Fingerprint]; int(d.Group.Count) != n || loki != n {
			s.t.Errorf("%s: %d times, the group has %d, LogQL %d", bug, n, d.Group.Count, loki)
		}
		hours := 0
		for _, h := range d.Hours {
			hours += int(h.Count)
		}
		if hours != n {
			s.t.Errorf("%s: %d times, by hour %d", bug, n, hours)
		}
	}
	g := s.store.group(s.t, s.ids[cart]).Group
	slices.Sort(g.Hosts)
	if !slices.Equal(g.Hosts, []string{"web-1", "web-2"}) || g.FirstVersion != "1.0.0" || g.Version != "1.6.0" {
		s.t.Errorf("hosts %v, versions %s to %s", g.Hosts, g.FirstVersion, g.Version)
	}
}
