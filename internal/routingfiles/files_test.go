package routingfiles

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const receivers = "default: [ops]\nreceivers:\n  ops: {slack: {url_file: slack.url}}\n"

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	secret := write(t, dir, "slack.url", "https://hooks.example.com/hunter2\n")
	names := Names{Receivers: write(t, dir, "receivers.yml", receivers)}
	f, err := Read(names)
	if err != nil {
		t.Fatal(err)
	}
	if got := f.Receivers.Receivers["ops"].Slack.URLFile; got != secret {
		t.Errorf("the secret is in %s", got)
	}
	if len(f.Warnings) > 0 {
		t.Errorf("warnings %q", f.Warnings)
	}
	if err := os.Chmod(secret, 0o640); err != nil {
		t.Fatal(err)
	}
	names.Owners = write(t, dir, "owners.yml", "- {app: api, team: API, receivers: [ops]}\n")
	if f, err = Read(names); err != nil || len(f.Owners) != 1 || len(f.Warnings) != 1 || !strings.Contains(f.Warnings[0], "chmod 600 "+secret) {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		name, receivers, owners, secret string
		want                            []string
	}{
		{"receivers", "default: [x]\nwatchdog: y\n", "", "s", []string{"--alert.receivers-file ", "receivers.yml: line 1: default[0]", "receivers.yml: line 2: watchdog"}},
		{"owners", receivers, "- {app: x}\n", "s", []string{"--alert.owners-file ", "owners.yml: line 1: [0].team"}},
		{"owner's receiver", receivers, "- {team: a, receivers: [x]}\n", "s", []string{"owners.yml: owner 1 (team a)", `no receiver "x"`}},
		{"no secret", receivers, "", "", []string{"receivers.yml: secret in ", "slack.url: no such file"}},
		{"empty secret", receivers, "", " \n", []string{"slack.url: it is empty; write the URL"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			names := Names{Receivers: write(t, dir, "receivers.yml", c.receivers)}
			if c.owners != "" {
				names.Owners = write(t, dir, "owners.yml", c.owners)
			}
			if c.secret != "" {
				write(t, dir, "slack.url", c.secret)
			}
			_, err := Read(names)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
		})
	}
	if _, err := Read(Names{Owners: "x"}); err == nil || !strings.Contains(err.Error(), "--alert.owners-file needs --alert.receivers-file") {
		t.Errorf("owners alone: %v", err)
	}
	if _, err := Read(Names{Receivers: filepath.Join(t.TempDir(), "none.yml")}); err == nil || !strings.HasSuffix(err.Error(), "none.yml: no such file or directory") || strings.Count(err.Error(), "none.yml") != 1 {
		t.Errorf("no file: %v", err)
	}
}
