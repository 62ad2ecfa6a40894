package discovery

import (
	"slices"
	"strings"
	"time"
)

// entry is one remembered daemon.
type entry struct {
	Label     string    `json:"label"`
	Home      string    `json:"home"`
	Container string    `json:"container,omitempty"`
	Mount     string    `json:"mount,omitempty"` // its mount namespace when last seen
	OwnerUID  int       `json:"uid"`
	OwnerName string    `json:"owner"`
	IsDefault bool      `json:"default,omitempty"`
	LastSeen  time.Time `json:"last_seen"`
}

// sighting is one home as a pass sees it.
type sighting struct {
	Candidate
	mount     string // its mount namespace; "" for our own
	isDefault bool
	name      string // NAME= of the configuration
}

// row joins what is seen with what is remembered; either may be missing.
type row struct {
	seen  *sighting
	known *entry
}

// place is what stays the same when a container is started again.
func (e entry) place() string    { return e.Container + "\x00" + e.Home }
func (s sighting) place() string { return s.Container + "\x00" + s.Home }

// join pairs each sighting with the entry of its place. Containers may share a place
// (the same host name and path); then the mount namespace tells them apart, and those
// that were started again take the entries that are left over, in order.
func join(seen []sighting, known []entry) []row {
	seen, known = slices.Clone(seen), slices.Clone(known)
	slices.SortFunc(seen, func(a, b sighting) int {
		return strings.Compare(a.place()+"\x00"+a.mount+"\x00"+a.Root, b.place()+"\x00"+b.mount+"\x00"+b.Root)
	})
	slices.SortFunc(known, func(a, b entry) int {
		return strings.Compare(a.place()+"\x00"+a.Label, b.place()+"\x00"+b.Label)
	})
	rows := make([]row, len(seen))
	used := make([]bool, len(known))
	for _, exact := range []bool{true, false} {
		for i := range seen {
			rows[i].seen = &seen[i]
			if rows[i].known != nil {
				continue
			}
			for j := range known {
				if used[j] || known[j].place() != seen[i].place() || exact && known[j].Mount != seen[i].mount {
					continue
				}
				rows[i].known, used[j] = &known[j], true
				break
			}
		}
	}
	for j := range known {
		if !used[j] {
			rows = append(rows, row{known: &known[j]})
		}
	}
	return rows
}

func (r row) naming() naming {
	var n naming
	if r.seen != nil {
		n = naming{
			key:   r.seen.place() + "\x00" + r.seen.mount + "\x00" + r.seen.Root,
			owner: r.seen.OwnerName, container: r.seen.Container, home: r.seen.Home, isDefault: r.seen.isDefault,
		}
	}
	if e := r.known; e != nil {
		if r.seen == nil {
			n = naming{key: e.place() + "\x00" + e.Mount, owner: e.OwnerName, container: e.Container, home: e.Home, isDefault: e.IsDefault}
		}
		n.given, n.rank = e.Label, labelKnown
	}
	if r.seen != nil && r.seen.name != "" {
		n.given, n.rank = r.seen.name, labelOrdered
	}
	return n
}

// candidate is what Find returns for a row.
func (r row) candidate(label string) Candidate {
	if r.seen != nil {
		c := r.seen.Candidate
		c.Label = label
		return c
	}
	return Candidate{
		Home: r.known.Home, Container: r.known.Container, Label: label,
		OwnerUID: r.known.OwnerUID, OwnerName: r.known.OwnerName,
	}
}

// entry is what to remember of a row.
func (r row) entry(label string, now time.Time) entry {
	var e entry
	if r.known != nil {
		e = *r.known
	}
	e.Label = label
	if s := r.seen; s != nil {
		e.Home, e.Container, e.Mount, e.IsDefault = s.Home, s.Container, s.mount, s.isDefault
		if s.OwnerUID >= 0 || e.OwnerName == "" {
			e.OwnerUID, e.OwnerName = s.OwnerUID, s.OwnerName
		}
		if s.Listening || r.known == nil {
			e.LastSeen = now.UTC().Truncate(time.Second)
		}
	}
	return e
}
