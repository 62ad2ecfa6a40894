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
	// filesPatience is how long a scrape waits for them.
	filesPatience = 500 * time.Millisecond
	savedList     = "dump.pm2"
	maxSaved      = 64 << 20
	maxFolders    = 100
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
	looking bool
	apps    []AppFiles // nil until the first look
	saved   savedApps
	folders []string
}

// savedApps counts processes by app in the list that pm2 save wrote.
type savedApps struct {
	count map[ledger.AppKey]int
	info  fs.FileInfo
}

// logFile is a log file of an app: a stream of it.
type logFile struct {
	key    ledger.AppKey
	name   string
	stream int
}

// lookAtFiles looks at log files and the saved list, now and then. It does so
// without the lock, and waits only a moment: a file system may hang.
func (w *Watcher) lookAtFiles() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.opts.Now()
	if w.files.looking || w.files.apps != nil && now.Sub(w.files.at) < filesEvery {
		return
	}
	w.files.at, w.files.looking = now, true
	var logs []logFile
	for i := range w.list {
		p := &w.list[i]
		key := w.ledger.Key(p).AppKey
		logs = append(logs, logFile{key, p.OutLog, 0}, logFile{key, p.ErrLog, 1})
	}
	uid, saved := w.peer.UID, w.files.saved
	looked := make(chan struct{})
	go func() {
		defer close(looked)
		found := w.stat(logs, uid, w.readSaved(saved, uid))
		w.mu.Lock()
		defer w.mu.Unlock()
		found.at = now
		w.files = found
	}()
	w.mu.Unlock()
	select {
	case <-looked:
	case <-time.After(filesPatience):
	}
	w.mu.Lock()
}

// stat takes the sizes of log files. Two apps may share one, whose size then
// counts for the first.
func (w *Watcher) stat(logs []logFile, uid int, saved savedApps) fileFacts {
	root := w.opts.Candidate.Root
	apps := map[ledger.AppKey]AppFiles{}
	seen := map[string]bool{}
	folders := map[string]bool{w.opts.Candidate.Home: true}
	for _, l := range logs {
		f, ok := apps[l.key]
		if !ok {
			f = AppFiles{Key: l.key, LogBytes: [2]int64{-1, -1}, Expected: -1}
		}
		if l.name != "" && !seen[l.name] {
			seen[l.name] = true
			if len(folders) < maxFolders {
				folders[path.Dir(l.name)] = true
			}
			if info, err := safefile.Stat(root, l.name, uid); err == nil {
				f.LogBytes[l.stream] = max(f.LogBytes[l.stream], 0) + info.Size()
			}
		}
		apps[l.key] = f
	}
	for key, n := range saved.count {
		f, ok := apps[key]
		if !ok && len(apps) >= ledger.MaxApps {
			continue
		}
		if !ok {
			f = AppFiles{Key: key, LogBytes: [2]int64{-1, -1}}
		}
		f.Expected = n
		apps[key] = f
	}
	facts := fileFacts{saved: saved, apps: slices.SortedFunc(maps.Values(apps), func(a, b AppFiles) int {
		return cmp.Or(strings.Compare(a.Key.Namespace, b.Key.Namespace), strings.Compare(a.Key.App, b.Key.App))
	})}
	if facts.apps == nil {
		facts.apps = []AppFiles{}
	}
	if root == "" {
		facts.folders = slices.Sorted(maps.Keys(folders))
	}
	return facts
}

// readSaved counts the processes of each app in dump.pm2 where it changed. The
// file holds every app's environment, like PM2's answers: the same decoder
// reads it.
func (w *Watcher) readSaved(before savedApps, uid int) savedApps {
	c := w.opts.Candidate
	name := path.Join(c.Home, savedList)
	info, err := safefile.Stat(c.Root, name, uid)
	if err != nil {
		return savedApps{}
	}
	if old := before.info; old != nil && old.ModTime().Equal(info.ModTime()) && old.Size() == info.Size() {
		return before
	}
	f, _, err := safefile.Open(c.Root, name, uid, maxSaved)
	if err != nil {
		return savedApps{}
	}
	defer f.Close()
	scan := jsonscan.New()
	scan.Reset(f)
	apps, err := pm2.DecodeSaved(scan)
	scan.Wipe()
	if err != nil {
		return before // half written; the next look reads it
	}
	saved := savedApps{count: map[ledger.AppKey]int{}, info: info}
	for _, a := range apps {
		saved.count[ledger.AppKey{Namespace: a.Namespace, App: a.Name}]++
	}
	return saved
}
