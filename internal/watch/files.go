package watch

import (
	"cmp"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/pm25/pm25/internal/ledger"
	"github.com/pm25/pm25/internal/pm2"
	"github.com/pm25/pm25/internal/pm2/jsonscan"
	"github.com/pm25/pm25/internal/safefile"
)

const (
	// filesEvery is how old sizes of log files may be.
	filesEvery = 15 * time.Second
	savedList  = "dump.pm2"
	maxSaved   = 64 << 20
	maxFolders = 100
)

// AppFiles is what the file system tells of an app.
type AppFiles struct {
	Key      ledger.AppKey
	LogBytes [2]int64 // standard output, standard error; -1: not known
	// Expected is how many processes the list written by pm2 save has; -1: none.
	Expected int
}

type fileFacts struct {
	at      time.Time
	apps    []AppFiles // nil until the first look
	saved   map[ledger.AppKey]int
	savedID fs.FileInfo
	folders []string
}

// lookAtFiles stats log files and reads the saved list when it changed. The
// lock is held; it is a few system calls for each app.
func (w *Watcher) lookAtFiles(now time.Time) {
	if w.files.apps != nil && now.Sub(w.files.at) < filesEvery {
		return
	}
	w.files.at = now
	w.readSaved()
	apps := map[ledger.AppKey]AppFiles{}
	seen := map[string]bool{}
	folders := map[string]bool{w.opts.Candidate.Home: true}
	for i := range w.list {
		p := &w.list[i]
		key := w.ledger.Key(p).AppKey
		f, ok := apps[key]
		if !ok {
			f = AppFiles{Key: key, LogBytes: [2]int64{-1, -1}, Expected: -1}
		}
		for stream, name := range []string{p.OutLog, p.ErrLog} {
			if name == "" || seen[name] {
				continue
			}
			seen[name] = true
			if len(folders) < maxFolders {
				folders[path.Dir(name)] = true
			}
			info, err := safefile.Stat(w.opts.Candidate.Root, name, w.peer.UID)
			if err == nil {
				f.LogBytes[stream] = max(f.LogBytes[stream], 0) + info.Size()
			}
		}
		apps[key] = f
	}
	w.files.folders = nil
	if w.opts.Candidate.Root == "" {
		w.files.folders = slices.Sorted(maps.Keys(folders))
	}
	for key, n := range w.files.saved {
		f, ok := apps[key]
		if !ok {
			f = AppFiles{Key: key, LogBytes: [2]int64{-1, -1}}
		}
		f.Expected = n
		apps[key] = f
	}
	w.files.apps = slices.SortedFunc(maps.Values(apps), func(a, b AppFiles) int {
		return cmp.Or(strings.Compare(a.Key.Namespace, b.Key.Namespace), strings.Compare(a.Key.App, b.Key.App))
	})
}

// readSaved counts the processes of each app in dump.pm2, which holds every
// app's environment like PM2's answers do: the same decoder reads it.
func (w *Watcher) readSaved() {
	c := w.opts.Candidate
	name := path.Join(c.Home, savedList)
	info, err := safefile.Stat(c.Root, name, w.peer.UID)
	if err != nil {
		w.files.saved, w.files.savedID = nil, nil
		return
	}
	if old := w.files.savedID; old != nil && old.ModTime().Equal(info.ModTime()) && old.Size() == info.Size() {
		return
	}
	f, _, err := safefile.Open(c.Root, name, w.peer.UID, maxSaved)
	if err != nil {
		return
	}
	defer f.Close()
	scan := jsonscan.New()
	scan.Reset(f)
	apps, err := pm2.DecodeSaved(scan)
	scan.Wipe()
	if err != nil {
		return // half written; the next look reads it
	}
	w.files.saved, w.files.savedID = map[ledger.AppKey]int{}, info
	for _, a := range apps {
		w.files.saved[ledger.AppKey{Namespace: a.Namespace, App: a.Name}]++
	}
}
