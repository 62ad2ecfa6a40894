package discovery

import (
	"testing"
	"time"
)

func TestJoin(t *testing.T) {
	sight := func(container, home, mount string) sighting {
		return sighting{Candidate: Candidate{Container: container, Home: home}, mount: mount}
	}
	know := func(label, container, home, mount string) entry {
		return entry{Label: label, Container: container, Home: home, Mount: mount}
	}
	for name, tc := range map[string]struct {
		seen  []sighting
		known []entry
		want  map[string]string // "container home mount" of the sighting → label of the entry
		gone  int
	}{
		"first sight":          {[]sighting{sight("", "/a", "")}, nil, map[string]string{" /a ": ""}, 0},
		"again":                {[]sighting{sight("", "/a", "")}, []entry{know("x", "", "/a", "")}, map[string]string{" /a ": "x"}, 0},
		"gone":                 {nil, []entry{know("x", "", "/a", "")}, map[string]string{}, 1},
		"container restarted":  {[]sighting{sight("c", "/a", "m2")}, []entry{know("x", "c", "/a", "m1")}, map[string]string{"c /a m2": "x"}, 0},
		"another container":    {[]sighting{sight("d", "/a", "m2")}, []entry{know("x", "c", "/a", "m1")}, map[string]string{"d /a m2": ""}, 1},
		"host and container":   {[]sighting{sight("c", "/a", "m1"), sight("", "/a", "")}, []entry{know("x", "", "/a", "")}, map[string]string{" /a ": "x", "c /a m1": ""}, 0},
		"twins":                {[]sighting{sight("c", "/a", "m1"), sight("c", "/a", "m2")}, []entry{know("x", "c", "/a", "m2"), know("y", "c", "/a", "m1")}, map[string]string{"c /a m2": "x", "c /a m1": "y"}, 0},
		"a twin restarted":     {[]sighting{sight("c", "/a", "m0"), sight("c", "/a", "m2")}, []entry{know("x", "c", "/a", "m1"), know("y", "c", "/a", "m2")}, map[string]string{"c /a m2": "y", "c /a m0": "x"}, 0},
		"a twin comes to join": {[]sighting{sight("c", "/a", "m0"), sight("c", "/a", "m1")}, []entry{know("x", "c", "/a", "m1")}, map[string]string{"c /a m1": "x", "c /a m0": ""}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			gone := 0
			for _, r := range join(tc.seen, tc.known) {
				if r.seen == nil {
					gone++
					continue
				}
				key := r.seen.Container + " " + r.seen.Home + " " + r.seen.mount
				label := ""
				if r.known != nil {
					label = r.known.Label
				}
				want, ok := tc.want[key]
				if !ok || label != want {
					t.Errorf("%q joined with %q, want %q", key, label, want)
				}
			}
			if gone != tc.gone {
				t.Errorf("%d gone, want %d", gone, tc.gone)
			}
		})
	}
}

func TestRowEntryLastSeen(t *testing.T) {
	now := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	old := entry{Label: "x", Home: "/a", OwnerName: "u", OwnerUID: 7, LastSeen: now.Add(-time.Hour)}
	down := sighting{Candidate: Candidate{Home: "/a", Configured: true, OwnerUID: -1}}
	if e := (row{seen: &down, known: &old}).entry("x", now); !e.LastSeen.Equal(old.LastSeen) || e.OwnerName != "u" {
		t.Errorf("a configured home that is down was seen: %+v", e)
	}
	up := sighting{Candidate: Candidate{Home: "/a", Listening: true, OwnerUID: 7, OwnerName: "u"}}
	if e := (row{seen: &up, known: &old}).entry("x", now); !e.LastSeen.Equal(now) {
		t.Errorf("last seen %v", e.LastSeen)
	}
	if e := (row{known: &old}).entry("x", now); e != old {
		t.Errorf("a daemon that is gone changed: %+v", e)
	}
}
