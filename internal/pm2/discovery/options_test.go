package discovery

import (
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
)

func TestParseHome(t *testing.T) {
	for value, want := range map[string]namedHome{
		"/home/u/.pm2":          {home: "/home/u/.pm2"},
		"/home/u/.pm2/":         {home: "/home/u/.pm2"},
		"prod=/srv/x":           {name: "prod", home: "/srv/x"},
		"/srv/a=b":              {home: "/srv/a=b"},
		"~/.pm2":                {home: "/home/me/.pm2"},
		"shop=~/.pm2":           {name: "shop", home: "/home/me/.pm2"},
		"/proc/77/root/a/../b/": {root: "/proc/77/root", home: "/b"},
		"/proc/self/root/b":     {home: "/proc/self/root/b"},
	} {
		got, err := parseHome(value, "/home/me")
		if err != nil || got != want {
			t.Errorf("parseHome(%q) = %+v, %v; want %+v", value, got, err, want)
		}
	}
	for value, want := range map[string]string{
		"":                               "absolute",
		"rel/path":                       "absolute",
		"name=rel":                       "absolute",
		"=/x":                            "empty",
		"a\nb=/x":                        "printable",
		"\xff=/x":                        "printable",
		"~other/.pm2":                    "absolute",
		strings.Repeat("n", 200) + "=/x": "printable",
	} {
		if _, err := parseHome(value, "/home/me"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("parseHome(%q): %v, want an error with %q", value, err, want)
		}
	}
}

func TestNewValidates(t *testing.T) {
	good := func() Options {
		return Options{Now: time.Now, Logger: log.NewNopLogger(), Getenv: func(string) string { return "" }}
	}
	if _, err := New(good()); err != nil {
		t.Fatal(err)
	}
	for want, set := range map[string]func(*Options){
		"Now":             func(o *Options) { o.Now = nil },
		"Logger":          func(o *Options) { o.Logger = nil },
		"named twice":     func(o *Options) { o.Homes = []string{"/a", "/a/"} },
		"two PM2 homes":   func(o *Options) { o.Homes = []string{"x=/a", "x=/b"} },
		"HOME is not set": func(o *Options) { o.Homes = []string{"~/.pm2"} },
		"at most 1":       func(o *Options) { o.Homes, o.MaxDaemons = []string{"/a", "/b"}, 1 },
		"forget":          func(o *Options) { o.ForgetAfter = -1 },
		"no-such-user":    func(o *Options) { o.AllowedUsers = []string{"no-such-user"} },
	} {
		o := good()
		set(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestPolicy(t *testing.T) {
	for name, tc := range map[string]struct {
		euid  int
		users []string
		want  Policy
	}{
		"root":          {0, nil, Policy{ProcRoot: "/proc", Restrict: true}},
		"root and more": {0, []string{"1000", "root"}, Policy{ProcRoot: "/proc", Restrict: true, UIDs: []int{1000, 0}}},
		"all":           {0, []string{"*"}, Policy{ProcRoot: "/proc"}},
		"not root":      {1000, nil, Policy{ProcRoot: "/proc"}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Options{ProcRoot: "/proc", EUID: func() int { return tc.euid }, AllowedUsers: tc.users}.policy()
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tc.want, got); d != "" {
				t.Error(d)
			}
		})
	}
	p := Policy{Restrict: true, UIDs: []int{7}}
	for uid, want := range map[int]bool{0: true, 7: true, 8: false} {
		if p.allows(Candidate{}, uid) != want {
			t.Errorf("uid %d allowed: %v", uid, !want)
		}
	}
	if !p.allows(Candidate{Configured: true}, 8) {
		t.Error("the owner of a configured home is not allowed")
	}
}
