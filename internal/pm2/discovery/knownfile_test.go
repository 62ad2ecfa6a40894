package discovery

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"
)

func someEntry(label string) entry {
	return entry{Label: label, Home: "/srv/" + label, OwnerUID: 7, OwnerName: "u", LastSeen: time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)}
}

func TestKnownFileRoundTrip(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.json")
	k := newKnownFile(file, log.NewNopLogger())
	want := []entry{someEntry("a"), {Label: "<b>@c", Home: "/x y/.pm2", Container: "c", Mount: "mnt:[1]", IsDefault: true, LastSeen: time.Unix(9, 0).UTC()}}
	want[1], want[0] = want[0], want[1] // sorted by label in the file
	if err := k.update(want, time.Hour); err != nil {
		t.Fatal(err)
	}
	got, info, err := readKnown(file)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	left, _ := os.ReadDir(filepath.Dir(file))
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestKnownFileIsWrittenSeldom(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.json")
	k := newKnownFile(file, log.NewNopLogger())
	e := someEntry("a")
	writes := 0
	var last fs.FileInfo
	for i := range 100 {
		e.LastSeen = e.LastSeen.Add(15 * time.Second)
		if err := k.update([]entry{e}, 24*time.Hour); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 || !os.SameFile(info, last) {
			writes++
		}
		last = info
	}
	if writes < 2 || writes > 4 { // 25 minutes, one in 10
		t.Errorf("%d writes", writes)
	}
	if err := k.save(); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := readKnown(file); !got[0].LastSeen.Equal(e.LastSeen) {
		t.Errorf("saved last-seen %v, want %v", got[0].LastSeen, e.LastSeen)
	}
}

func TestForgetInFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.json")
	k := newKnownFile(file, log.NewNopLogger())
	if err := k.update([]entry{someEntry("a"), someEntry("b")}, time.Hour); err != nil {
		t.Fatal(err)
	}
	err := ForgetInFile(file, "c")
	if err == nil || !strings.Contains(err.Error(), `"c"`) || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("error %v does not list what is known", err)
	}
	if err := ForgetInFile(file, "a"); err != nil {
		t.Fatal(err)
	}
	// The running agent takes it over, and keeps what the file does not know yet.
	k.entries = append(k.entries, someEntry("new"))
	if err := k.refresh(); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]entry{someEntry("b"), someEntry("new")}, k.entries); d != "" {
		t.Error(d)
	}
	// Also when the command comes in between a pass and its writing.
	if err := k.save(); err != nil {
		t.Fatal(err)
	}
	if err := ForgetInFile(file, "b"); err != nil {
		t.Fatal(err)
	}
	if err := k.update(append(k.entries, someEntry("z")), time.Hour); err != nil {
		t.Fatal(err)
	}
	got, _, _ := readKnown(file)
	if d := cmp.Diff([]entry{someEntry("new"), someEntry("z")}, got); d != "" {
		t.Error(d)
	}
	if err := ForgetInFile(filepath.Join(t.TempDir(), "none.json"), "a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
}

func TestKnownFileNewerOrForeignIsLeftAlone(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"newer":         {`{"format":"pm25 known daemons","version":2,"daemons":{"new":"shape"}}`, "version 2; this agent reads up to version 1"},
		"another":       {`{"name":"app","version":"1.0.0"}`, "another program"},
		"another array": {`[1,2]`, "another program"},
		"no format":     {`{}`, "another program"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known.json")
			if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := New(Options{Now: time.Now, Logger: log.NewNopLogger(), KnownFile: file})
			if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.Contains(err.Error(), file) {
				t.Errorf("error %v", err)
			}
			if err := ForgetInFile(file, "a"); err == nil {
				t.Error("forget changed it")
			}
			// A running agent that meets it goes on in memory.
			k := newKnownFile(file, log.NewNopLogger())
			if err := k.update([]entry{someEntry("a")}, time.Hour); err == nil {
				t.Error("update wrote it")
			}
			if len(k.entries) != 1 {
				t.Error("update forgot the entry")
			}
			if got, _ := os.ReadFile(file); string(got) != tc.content {
				t.Errorf("the file was changed: %s", got)
			}
		})
	}
}

func TestKnownFileTornIsSetAside(t *testing.T) {
	for name, content := range map[string]string{
		"empty": "", "half": `{"format":"pm25 known daemons","version":1,"daemons":[{"lab`, "zeros": "\x00\x00\x00",
		"wrong types": `{"format":"pm25 known daemons","version":1,"daemons":7}`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "known.json")
			if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var logged bytes.Buffer
			k := newKnownFile(file, log.NewLogfmtLogger(&logged))
			if err := k.refresh(); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(file + ".bad"); err != nil || string(got) != content {
				t.Errorf("set aside: %q, %v", got, err)
			}
			if !strings.Contains(logged.String(), ".bad") {
				t.Errorf("log: %s", logged.String())
			}
			if err := k.update([]entry{someEntry("a")}, time.Hour); err != nil {
				t.Fatal(err)
			}
			if got, _, err := readKnown(file); err != nil || len(got) != 1 {
				t.Errorf("afterwards: %v, %v", got, err)
			}
		})
	}
}

func TestKnownFileRemovedIsWrittenAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "known.json")
	k := newKnownFile(file, log.NewNopLogger())
	for range 2 {
		if err := k.refresh(); err != nil {
			t.Fatal(err)
		}
		if err := k.update([]entry{someEntry("a")}, time.Hour); err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestParseKnownDropsBadEntries(t *testing.T) {
	got, err := parseKnown([]byte(`{"format":"pm25 known daemons","version":1,"daemons":[
		{"label":"ok","home":"/a"},{"label":"ok","home":"/b"},{"label":"","home":"/c"},
		{"label":"a\nb","home":"/d"},{"label":"rel","home":"e"},{"label":"dots","home":"/a/../b"}]}`))
	if err != nil || len(got) != 1 || got[0].Home != "/a" {
		t.Errorf("%+v, %v", got, err)
	}
}
