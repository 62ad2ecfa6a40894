package discovery

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestAssignLabels(t *testing.T) {
	def := func(owner, home string) naming { return naming{key: home, owner: owner, home: home, isDefault: true} }
	other := func(owner, home string) naming { return naming{key: home, owner: owner, home: home} }
	in := func(n naming, container string) naming {
		n.container, n.key = container, container+"\x00"+n.key
		return n
	}
	given := func(n naming, label string, rank int) naming {
		n.given, n.rank = label, rank
		return n
	}
	for name, tc := range map[string]struct {
		homes []naming
		want  []string
	}{
		"default home":   {[]naming{def("deploy", "/home/deploy/.pm2")}, []string{"deploy"}},
		"two users":      {[]naming{def("root", "/root/.pm2"), def("deploy", "/home/deploy/.pm2")}, []string{"root", "deploy"}},
		"another home":   {[]naming{def("deploy", "/home/deploy/.pm2"), other("deploy", "/srv/shop/.pm2")}, []string{"deploy", "deploy:shop"}},
		"not named .pm2": {[]naming{other("deploy", "/srv/pm2-shop")}, []string{"deploy:pm2-shop"}},
		"same ends": {
			[]naming{other("deploy", "/srv/a/app/.pm2"), other("deploy", "/srv/b/app/.pm2")},
			[]string{"deploy:a/app", "deploy:b/app"},
		},
		"same ends of two users": {[]naming{other("u", "/srv/a/app/.pm2"), other("v", "/srv/b/app/.pm2")}, []string{"u:app", "v:app"}},
		"one is the end of the other": {
			[]naming{other("u", "/app/.pm2"), other("u", "/srv/app/.pm2")},
			[]string{"u:app", "u:srv/app"},
		},
		"the folder and .pm2 in it": {[]naming{other("u", "/a/app/.pm2"), other("u", "/a/app")}, []string{"u:a/app~2", "u:a/app"}},
		"at the root":               {[]naming{other("u", "/.pm2"), other("u", "/")}, []string{"u:.pm2", "u:/"}},
		"containers": {
			[]naming{def("node", "/home/node/.pm2"), in(def("node", "/home/node/.pm2"), "web-1"), in(other("node", "/srv/x"), "web-1")},
			[]string{"node", "node@web-1", "node:x@web-1"},
		},
		"no owner": {[]naming{other("", "/srv/x")}, []string{"unknown:x"}},
		"ordered":  {[]naming{given(def("u", "/home/u/.pm2"), "prod", labelOrdered)}, []string{"prod"}},
		"ordered what another would get": {
			[]naming{def("u", "/home/u/.pm2"), given(other("u", "/srv/x"), "u", labelOrdered)},
			[]string{"u~2", "u"},
		},
		"known stays when a like one comes": {
			[]naming{given(other("u", "/srv/b/app/.pm2"), "u:app", labelKnown), other("u", "/srv/a/app/.pm2")},
			[]string{"u:app", "u:a/app"},
		},
		"known gives way to ordered": {
			[]naming{given(other("u", "/srv/b/.pm2"), "prod", labelKnown), given(other("u", "/srv/a/.pm2"), "prod", labelOrdered)},
			[]string{"u:b", "prod"},
		},
		"control characters and bad UTF-8": {[]naming{other("u", "/srv/a\n\x1b[31mb\xff")}, []string{"u:a__[31mb_"}},
		"same after cleaning":              {[]naming{other("u", "/srv/a\n"), other("u", "/srv/a\t")}, []string{"u:srv/a_", "u:a_"}},
		"unicode":                          {[]naming{other("u", "/srv/商店/.pm2")}, []string{"u:商店"}},
	} {
		t.Run(name, func(t *testing.T) {
			if d := cmp.Diff(tc.want, assignLabels(tc.homes)); d != "" {
				t.Error(d)
			}
		})
	}
}

// Whatever homes there are and in whatever order: labels are unique, valid, short,
// and the same for the same set.
func TestAssignLabelsProperties(t *testing.T) {
	rnd := rand.New(rand.NewSource(1))
	words := []string{"a", "b", "app", ".pm2", "x\n", "x\t", "\xff", strings.Repeat("商", 50), strings.Repeat("y", 127), "~2"}
	pick := func() string { return words[rnd.Intn(len(words))] }
	for round := range 300 {
		var list []naming
		for i := range 1 + rnd.Intn(12) {
			n := naming{owner: pick(), isDefault: rnd.Intn(5) == 0, rank: rnd.Intn(3)}
			for range 1 + rnd.Intn(4) {
				n.home += "/" + pick()
			}
			if rnd.Intn(3) == 0 {
				n.container = pick()
			}
			if n.rank > 0 {
				n.given = fit(pick(), "")
			}
			n.key = fmt.Sprint(n.container, n.home, i)
			list = append(list, n)
		}
		want := map[string]string{}
		for i, l := range assignLabels(list) {
			if l == "" || len(l) > maxLabel || !utf8.ValidString(l) || l != printable(l) {
				t.Fatalf("round %d: label %q of %+v", round, l, list[i])
			}
			for key, other := range want {
				if other == l {
					t.Fatalf("round %d: %q and %q are both called %q", round, key, list[i].key, l)
				}
			}
			want[list[i].key] = l
		}
		rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		got := map[string]string{}
		for i, l := range assignLabels(list) {
			got[list[i].key] = l
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("round %d: another order, other labels: %s", round, d)
		}
		// Given as known, all stay what they are.
		for i := range list {
			list[i].given, list[i].rank = got[list[i].key], labelKnown
		}
		for i, l := range assignLabels(list) {
			if l != got[list[i].key] {
				t.Fatalf("round %d: %q became %q", round, got[list[i].key], l)
			}
		}
	}
}
