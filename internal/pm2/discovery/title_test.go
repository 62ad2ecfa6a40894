package discovery

import (
	"strings"
	"testing"
)

func TestRecognize(t *testing.T) {
	pad := strings.Repeat("\x00", 20)
	for name, tc := range map[string]struct {
		cmdline string
		want    proof
	}{
		"7":                  {"PM2 v7.0.4: God Daemon (/home/u/.pm2)" + pad, proof{pm2: true, home: "/home/u/.pm2"}},
		"6":                  {"PM2 v6.0.14: God Daemon (/home/u/.pm2)" + pad, proof{pm2: true, home: "/home/u/.pm2"}},
		"pre-release":        {"PM2 v5.0.0-beta.1: God Daemon (/r)", proof{pm2: true, home: "/r"}},
		"odd home":           {"PM2 v5.4.3: God Daemon (/a (b): c)", proof{pm2: true, home: "/a (b): c"}},
		"cut in the home":    {"PM2 v7.0.4: God Daemon (/srv/a-rather-long-hom\x00", proof{pm2: true, home: "/srv/a-rather-long-hom", cut: true}},
		"cut before":         {"PM2 v7.0.4: God Dae\x00", proof{pm2: true, cut: true}},
		"no version":         {"PM2 v: God Daemon (/x)", proof{}},
		"a sentence":         {"PM2 v7 is great: God Daemon (/x)", proof{}},
		"another mark":       {"PM2 v7.0.4: Good Daemon (/x)", proof{}},
		"runtime 7 6 5":      {"node\x00/lab/node_modules/.bin/pm2-runtime\x00start\x00app.js\x00", proof{pm2: true}},
		"no-daemon":          {"node\x00/lab/pm2/bin/pm2\x00start\x00app.js\x00--no-daemon\x00", proof{pm2: true}},
		"docker":             {"/usr/bin/node\x00/usr/local/bin/pm2-docker\x00app.js\x00", proof{pm2: true}},
		"node options":       {"node\x00--max-old-space-size=64\x00-r\x00/x/hook.js\x00/usr/bin/pm2-runtime\x00a.js\x00", proof{pm2: true}},
		"end of options":     {"node\x00--\x00/usr/bin/pm2-runtime\x00a.js\x00", proof{pm2: true}},
		"bun":                {"bun\x00/usr/bin/pm2-runtime\x00a.js\x00", proof{pm2: true}},
		"before its title":   {"node\x00/usr/lib/node_modules/pm2/lib/Daemon.js\x00", proof{pm2: true}},
		"runtime file":       {"node\x00/usr/lib/node_modules/pm2/lib/binaries/Runtime4Docker.js\x00a.js\x00", proof{pm2: true}},
		"another Daemon.js":  {"node\x00/opt/app/Daemon.js\x00", proof{}},
		"another Runtime.js": {"node\x00/opt/app/Runtime.js\x00", proof{}},
		"an app":             {"node /opt/app/server.js\x00", proof{}},
		"app naming pm2":     {"node\x00server.js\x00pm2\x00", proof{}},
		"only options":       {"node\x00-r\x00", proof{}},
		"not node":           {"python3\x00/usr/bin/pm2-runtime\x00", proof{}},
		"other program":      {"/usr/bin/supervisord\x00-c\x00x\x00", proof{}},
		"kernel thread":      {"", proof{}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := recognize([]byte(tc.cmdline)); got != tc.want {
				t.Errorf("recognize(%q) = %+v, want %+v", tc.cmdline, got, tc.want)
			}
		})
	}
}

func TestRecognizeEnv(t *testing.T) {
	env := "A=b\x00PM2_HOME=/tmp/titled\x00PM2_DAEMON_TITLE=my daemon\x00SECRET=x\x00"
	for name, tc := range map[string]struct {
		env, title string
		want       proof
	}{
		"own title":                              {env, "my daemon", proof{pm2: true, home: "/tmp/titled"}},
		"cut":                                    {env, "my dae", proof{pm2: true, home: "/tmp/titled"}},
		"other title":                            {env, "your daemon", proof{home: "/tmp/titled"}},
		"empty title":                            {env, "", proof{home: "/tmp/titled"}},
		"no home":                                {"PM2_DAEMON_TITLE=x\x00", "x", proof{}},
		"not readable":                           {"", "x", proof{}},
		"an app of PM2, which inherits the home": {"PM2_HOME=/h\x00", "node /a.js", proof{home: "/h"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := recognizeEnv([]byte(tc.env), tc.title); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestTitleIsSafeToPrint(t *testing.T) {
	got := title([]byte("a\x00b\x1b[31m\xff\nc\x00\x00" + strings.Repeat("x", 1000)))
	if !strings.HasPrefix(got, "a b_[31m__c") || len(got) > 256 {
		t.Errorf("title = %q", got)
	}
}
