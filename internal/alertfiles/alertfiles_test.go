package alertfiles

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	put("ding.url", "https://oapi.dingtalk.com/robot/send?access_token=hunter2", 0o644)
	receivers := put("receivers.yml", "default: [ops]\nreceivers:\n  ops: {dingtalk: {url_file: ding.url, secret_file: ding.secret}}\n", 0o600)
	owners := put("owners.yml", "- {team: shop, app: api, receivers: [ops]}\n", 0o600)
	unknown := put("unknown.yml", "- {team: shop, app: api, receivers: [nobody]}\n", 0o600)

	var logs bytes.Buffer
	r, o, err := Files{receivers, owners}.Load(slog.New(slog.NewTextHandler(&logs, nil)))
	if err != nil || len(o) != 1 || r.Receivers["ops"].DingTalk.URLFile != filepath.Join(dir, "ding.url") {
		t.Errorf("%+v %+v %v", r, o, err)
	}
	if got := logs.String(); !strings.Contains(got, "chmod 600") || !strings.Contains(got, "ding.secret") || strings.Contains(got, "hunter2") {
		t.Errorf("%s", got)
	}
	if r, o, err := (Files{}).Load(slog.New(slog.DiscardHandler)); err != nil || len(r.Receivers)+len(o) > 0 {
		t.Errorf("no files: %+v %v", r, err)
	}
	for files, want := range map[Files]string{
		{Owners: owners}: "--alert.owners-file needs", {receivers, unknown}: "nobody", {receivers + "x", ""}: "receivers.ymlx", {receivers, owners + "x"}: "owners.ymlx", {owners, ""}: "--alert.receivers-file: " + owners,
	} {
		if _, _, err := files.Load(slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %q", files, err, want)
		}
	}
}
