package alertmanager

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/alert"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
)

const (
	firingFormat  = "pm25 alerts"
	firingVersion = 1
	firingEach    = 2 * time.Second
	maxFiring     = 10_000
	maxFiringFile = 64 << 20
)

// firing keeps a file of the alerts that there are, so that a start knows what
// the last run knew: Alertmanager holds them in memory only. Those that ended
// are in it until Alertmanager forgets them, for their end may not be told yet.
type firing struct {
	path     string
	sender   string // see Options.Sender
	log      *slog.Logger
	now      func() time.Time
	failures prometheus.Counter

	mu        sync.Mutex
	alerts    map[model.Fingerprint]*alert.Alert
	doubtful  map[model.Fingerprint]bool // of the last run, nobody says that they still fire
	graceEnds time.Time                  // when the last doubtful one ends
	cleared   chan struct{}              // closed when one is no longer doubtful

	saving  sync.Mutex
	written map[model.Fingerprint]mark // what the file says; with mu held too when it is set
	failing bool
	crowded bool
}

// mark is what makes an alert worth a new file. Texts change with every sample.
type mark struct {
	startsAt time.Time
	ended    bool
}

func newFiring(path, sender string, failures prometheus.Counter, logger *slog.Logger, now func() time.Time) *firing {
	return &firing{
		path: path, sender: sender, log: logger, now: now, failures: failures, cleared: make(chan struct{}),
		alerts: map[model.Fingerprint]*alert.Alert{}, doubtful: map[model.Fingerprint]bool{}, written: map[model.Fingerprint]mark{},
	}
}

// storeHooks is told by Alertmanager's store of alerts, with its lock held.
type storeHooks struct {
	*silence.Silencer
	firing *firing
}

// PostStore is called with each alert that comes in.
func (h storeHooks) PostStore(a *alert.Alert, existing bool) {
	h.Silencer.PostStore(a, existing)
	h.firing.stored(a)
}

// PostDelete is called with each alert that is forgotten.
func (h storeHooks) PostDelete(a *alert.Alert) {
	h.Silencer.PostDelete(a)
	h.firing.mu.Lock()
	defer h.firing.mu.Unlock()
	delete(h.firing.alerts, a.Fingerprint())
}

func (f *firing) stored(a *alert.Alert) {
	fp := a.Fingerprint()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.alerts[fp] = a
	if f.doubtful[fp] {
		delete(f.doubtful, fp)
		close(f.cleared)
		f.cleared = make(chan struct{})
	}
}

type firingDoc struct {
	Format  string        `json:"format"`
	Version int           `json:"version"`
	Alerts  []firingAlert `json:"alerts"`
}

type firingAlert struct {
	Labels       model.LabelSet `json:"labels"`
	Annotations  model.LabelSet `json:"annotations,omitempty"`
	StartsAt     time.Time      `json:"startsAt"`
	EndsAt       time.Time      `json:"endsAt"` // of a firing one: as its sender last said
	Ended        bool           `json:"ended,omitempty"`
	GeneratorURL string         `json:"generatorURL,omitempty"`
}

// restore puts the alerts of the last run into the store. Those that fired then
// do so until grace has passed, or until when their sender said, unless that
// started with us. Whoever sends one again takes it over; one that nobody sends
// ends then. Those that had ended are put back as ended, which is told if it was
// not.
func (f *firing) restore(store func(context.Context, ...*alert.Alert) error, grace time.Duration) error {
	doc, err := readFiring(f.path)
	if err != nil {
		return err
	}
	now := f.now()
	var alerts []*alert.Alert
	doubtful := map[model.Fingerprint]bool{}
	for _, a := range doc.Alerts {
		b := &alert.Alert{
			Alert:     model.Alert{Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: a.EndsAt, GeneratorURL: a.GeneratorURL},
			UpdatedAt: now, Timeout: true, // so that a new end, if an earlier one, counts
		}
		if !a.Ended {
			f.doubt(b, doubtful, now, grace)
		}
		if err := b.Validate(); err != nil {
			f.log.Warn("An alert of the last run is left out", "file", f.path, "alert", b.Labels.String(), "err", err)
			continue
		}
		alerts = append(alerts, b)
	}
	if err := store(context.Background(), alerts...); err != nil {
		return fmt.Errorf("taking up the alerts of %s: %w", f.path, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.doubtful, f.graceEnds = doubtful, now.Add(grace)
	return nil
}

// doubt sets when an alert ends that nobody sends again.
func (f *firing) doubt(a *alert.Alert, doubtful map[model.Fingerprint]bool, now time.Time, grace time.Duration) {
	anew := f.sender != "" && strings.HasPrefix(a.GeneratorURL, f.sender)
	if anew || !a.EndsAt.After(now) {
		doubtful[a.Fingerprint()] = true
	}
	if anew || a.EndsAt.Before(now.Add(grace)) {
		a.EndsAt = now.Add(grace)
	}
}

func readFiring(path string) (firingDoc, error) {
	var doc firingDoc
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return doc, nil
	}
	if err == nil && info.Size() > maxFiringFile {
		err = fmt.Errorf("it has %d bytes, at most %d are taken", info.Size(), maxFiringFile)
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(path)
	}
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err == nil && (doc.Format != firingFormat || doc.Version != firingVersion) {
		err = fmt.Errorf("format %q version %d, this program knows %q version %d", doc.Format, doc.Version, firingFormat, firingVersion)
	}
	if err != nil {
		return doc, fmt.Errorf("alerts of the last run %s: %w; move it away to go on without", path, err)
	}
	return doc, nil
}

// await returns true once the alerts of a group may be told. A group of which
// nothing is known but that it fired in the last run has to wait: it may have
// ended long ago.
func (f *firing) await(ctx context.Context, alerts []*alert.Alert) bool {
	for {
		f.mu.Lock()
		now := f.now()
		doubt := !slices.ContainsFunc(alerts, func(a *alert.Alert) bool { return a.ResolvedAt(now) || !f.doubtful[a.Fingerprint()] })
		cleared, left := f.cleared, f.graceEnds.Sub(now)
		f.mu.Unlock()
		if !doubt {
			return true
		}
		over := time.NewTimer(left)
		select {
		case <-cleared:
			over.Stop()
		case <-over.C: // they end now; the next pass over the group finds them so
			return false
		case <-ctx.Done():
			over.Stop()
			return false
		}
	}
}

// before sees to it that the file has what is going to be told, so that a start
// neither tells it again nor leaves out that it ended.
func (f *firing) before(alerts []*alert.Alert) {
	f.mu.Lock()
	now := f.now()
	stale := slices.ContainsFunc(alerts, func(a *alert.Alert) bool {
		fp := a.Fingerprint()
		known, ok := f.alerts[fp]
		return ok && f.written[fp] != markOf(known, now)
	})
	f.mu.Unlock()
	if stale {
		f.save()
	}
}

func markOf(a *alert.Alert, now time.Time) mark {
	return mark{a.StartsAt.UTC().Round(0), a.ResolvedAt(now)}
}

// run writes what changed until stop is closed.
func (f *firing) run(stop <-chan struct{}) {
	ticker := time.NewTicker(firingEach)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		}
		if f.changed() {
			f.save()
		}
	}
}

func (f *firing) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.alerts) != len(f.written) {
		return true
	}
	now := f.now()
	for fp, a := range f.alerts {
		if f.written[fp] != markOf(a, now) {
			return true
		}
	}
	return false
}

// save writes the file. A failure is logged when it is the first in a row.
func (f *firing) save() {
	f.saving.Lock()
	defer f.saving.Unlock()
	f.mu.Lock()
	alerts := maps.Clone(f.alerts)
	f.mu.Unlock()
	now := f.now()
	marks := make(map[model.Fingerprint]mark, len(alerts))
	for fp, a := range alerts {
		marks[fp] = markOf(a, now)
	}
	if err := f.write(alerts, marks); err != nil {
		f.failures.Inc()
		if !f.failing {
			f.log.Error("Writing down the alerts failed", "file", f.path, "err", err)
		}
		f.failing = true
		return
	}
	f.failing = false
	f.mu.Lock()
	f.written = marks
	f.mu.Unlock()
}

func (f *firing) write(alerts map[model.Fingerprint]*alert.Alert, marks map[model.Fingerprint]mark) error {
	order := slices.SortedFunc(maps.Keys(alerts), func(a, b model.Fingerprint) int {
		if marks[a].ended != marks[b].ended {
			if marks[b].ended {
				return -1
			}
			return 1
		}
		return cmp.Compare(a, b)
	})
	if len(order) > maxFiring {
		if !f.crowded {
			f.log.Warn("There are too many alerts: those above the limit are not known after a restart", "alerts", len(order), "limit", maxFiring)
		}
		order = order[:maxFiring]
	}
	f.crowded = len(alerts) > maxFiring
	doc := firingDoc{Format: firingFormat, Version: firingVersion, Alerts: make([]firingAlert, 0, len(order))}
	for _, fp := range order {
		a := alerts[fp]
		doc.Alerts = append(doc.Alerts, firingAlert{
			Labels: a.Labels, Annotations: a.Annotations, StartsAt: a.StartsAt, EndsAt: a.EndsAt, Ended: marks[fp].ended, GeneratorURL: a.GeneratorURL,
		})
	}
	data, err := json.Marshal(doc)
	for err == nil && len(data) > maxFiringFile { // what the next start would not take
		f.log.Warn("The alerts are too large: half of them are not known after a restart", "bytes", len(data), "limit", maxFiringFile)
		doc.Alerts = doc.Alerts[:len(doc.Alerts)/2]
		data, err = json.Marshal(doc)
	}
	if err != nil {
		return err
	}
	file, err := replaceFile(f.path, func(w io.Writer) error { _, err := w.Write(data); return err })
	if err != nil {
		return err
	}
	return file.Close()
}
