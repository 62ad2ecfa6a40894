package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/pm2/daemonlog"
	"github.com/pm25/pm25/internal/record"
)

const (
	placesName    = "places.json"
	placesVersion = 1
	maxPlaces     = 1 << 20
)

// places remember how far PM2's logs were read, so that a killed agent's
// successor makes records of what it missed. They may lag behind: records of
// what is read twice have the same ids. Counters never begin from them.
type places struct {
	path   string
	log    log.Logger
	before map[string]daemonlog.Position // of the last note
	kept   map[string]daemonlog.Position // on disk
	failed bool
}

type placesDoc struct {
	Version int                           `json:"version"`
	At      time.Time                     `json:"at"`
	Places  map[string]daemonlog.Position `json:"places"` // by daemon
}

func newPlaces(stateDir string, logger log.Logger) *places {
	return &places{path: filepath.Join(stateDir, placesName), log: logger}
}

// read returns the places by daemon. What is of no use is none: too old, of
// another version, or damaged.
func (p *places) read(now time.Time) map[string]daemonlog.Position {
	info, err := os.Stat(p.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	var doc placesDoc
	var data []byte
	if err == nil && info.Size() > maxPlaces {
		err = fmt.Errorf("it has %d bytes, at most %d are taken", info.Size(), maxPlaces)
	}
	if err == nil {
		data, err = os.ReadFile(p.path)
	}
	if err == nil {
		err = json.Unmarshal(data, &doc)
	}
	if err != nil {
		level.Warn(p.log).Log("msg", "Can not tell how far PM2's logs were read; ends that were missed are not recorded", "file", p.path, "err", err)
		return nil
	}
	if age := now.Sub(doc.At); doc.Version != placesVersion || age < 0 || age > record.MaxSpoolAge {
		return nil
	}
	return doc.Places
}

// note writes the places of the note before: by now all that was read up to
// there is on its way to the disk.
func (p *places) note(now time.Time, read map[string]daemonlog.Position) {
	before := p.before
	p.before = read
	if before == nil || maps.Equal(before, p.kept) {
		return
	}
	data, err := json.Marshal(placesDoc{placesVersion, now, before})
	if err == nil {
		err = os.WriteFile(p.path+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(p.path+".new", p.path)
	}
	if err == nil {
		p.kept = before
	} else if !p.failed {
		level.Warn(p.log).Log("msg", "Can not note how far PM2's logs were read", "err", err)
	}
	p.failed = err != nil
}
