package routing

import (
	"flag"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/template"
)

var update = flag.Bool("update", false, "write the golden files anew")

const someOwners = `
- {bucket: "prod-*", app: "pay*", team: Payments, receivers: [lark], page: [pager], mention: {lark: [ou_1]}}
- {pm2_namespace: shop, app: "web-?", team: Shop's, receivers: [slack, teams], page: []}
- {bucket: local, app: cron, team: Local, receivers: [wx]}
- {app: api, team: API}
`

// world is a pair of files, read.
func world(t testing.TB, receivers, owners string) (Receivers, Owners) {
	t.Helper()
	r, err := ParseReceivers([]byte(receivers))
	if err != nil {
		t.Fatal(err)
	}
	o, err := ParseOwners([]byte(owners))
	if err != nil {
		t.Fatal(err)
	}
	return r, o
}

var bridged = Options{BridgeURL: "http://notify.in-process", ExternalURL: "https://pm25.example.com"}

// worlds are the pairs that the tests write configurations for.
func worlds() map[string][2]string {
	return map[string][2]string{
		"all":      {allKinds, someOwners},
		"smallest": {"default: [a]\nreceivers:\n  a: {webhook: {url: 'http://127.0.0.1:1/x'}}\n", ""},
		"hostile": {
			"default: [A-_9]\ntimezone: America/Argentina/Buenos_Aires\ninfo: {days: sunday}\nreceivers:\n  A-_9: {slack: {url_file: \"a'b: #\\n\\U0001F4A5\", channel: \"#x'y\\t\"}}\n",
			"- {team: \"a'b: \\\"c\\\" #\", app: 'x\"\\\\y\\n*{}|()'}\n- {team: b, app: '*', bucket: '**', pm2_namespace: '?'}\n- {team: all}\n",
		},
	}
}

// load makes Alertmanager read a configuration as it does a file's.
func load(t *testing.T, text string) *config.Config {
	t.Helper()
	conf, err := config.Load(text)
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return conf
}

func TestAlertmanagerTakesIt(t *testing.T) {
	for name, files := range worlds() {
		t.Run(name, func(t *testing.T) {
			r, o := world(t, files[0], files[1])
			text, err := Alertmanager(r, o, bridged)
			if err != nil {
				t.Fatal(err)
			}
			again, _ := Alertmanager(r, o, bridged)
			if again != text {
				t.Error("the same values gave another text")
			}
			golden(t, filepath.Join("alertmanager", name+".yml"), text)
			conf := load(t, text)
			templates, err := template.FromGlobs(nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, rc := range conf.Receivers {
				got, err := receiver.BuildReceiverIntegrations(rc, templates, slog.New(slog.DiscardHandler))
				if err != nil {
					t.Errorf("receiver %s: %v", rc.Name, err)
				}
				if want := len(strings.Split(rc.Name, "+")); rc.Name != nobody && len(got) != want {
					t.Errorf("receiver %s has %d integrations", rc.Name, len(got))
				}
				for _, i := range got {
					if !i.SendResolved() {
						t.Errorf("%s is not told when an alert ends", i.String())
					}
				}
			}
		})
	}
}

// golden holds a text against the file of that name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs; look at it with git diff after go test -update. Now:\n%s", file, got)
	}
}

func TestAlertmanagerRefuses(t *testing.T) {
	r, o := world(t, allKinds, someOwners)
	for _, c := range []struct {
		name string
		r    Receivers
		o    Owners
		opts Options
		want string
	}{
		{"no bridge", r, o, Options{}, `receiver "ding" is a robot`},
		{"bad bridge", r, o, Options{BridgeURL: "notify"}, "is no URL"},
		{"template in an address", r, o, Options{BridgeURL: "http://a/{{.X}}"}, "is no URL"},
		{"owner of nobody", Receivers{}, o, bridged, `there is no receiver "lark"`},
	} {
		if _, err := Alertmanager(c.r, c.o, c.opts); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
	if text, err := Alertmanager(Receivers{}, nil, Options{}); err != nil {
		t.Error(err)
	} else if load(t, text).Route.Receiver != nobody {
		t.Errorf("somebody is told:\n%s", text)
	}
}

// No secret but a plain webhook's URL is in the text, and the bridge is asked
// with its token.
func TestBridge(t *testing.T) {
	r, o := world(t, allKinds, someOwners)
	opts := bridged
	opts.BridgeURL, opts.BridgeTokenFile = "https://pm25.example.com/base/", "/etc/pm25/notify.token"
	text, err := Alertmanager(r, o, opts)
	if err != nil {
		t.Fatal(err)
	}
	conf := load(t, text)
	found := 0
	for _, rc := range conf.Receivers {
		for _, w := range rc.WebhookConfigs {
			url := string(w.URL)
			if !strings.HasPrefix(url, "https://pm25.example.com/") {
				continue
			}
			found++
			if w.MaxAlerts != 2000 || w.HTTPConfig.Authorization == nil || w.HTTPConfig.Authorization.CredentialsFile != opts.BridgeTokenFile {
				t.Errorf("%s: %+v", url, w)
			}
			if want := opts.BridgeURL + "notify/"; !strings.HasPrefix(url, want) {
				t.Errorf("%s is not below %s", url, want)
			}
		}
	}
	if found == 0 {
		t.Error("no robot is reached over the bridge")
	}
}
