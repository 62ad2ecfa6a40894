package up

import (
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
)

// webConfig follows --web.config.file, which exporter-toolkit reads anew with
// each request: a file that loses its users while we run must not open the door.
type webConfig struct {
	file     string
	required bool // without users nobody is let in
	log      *slog.Logger

	mu       sync.Mutex
	modified time.Time
	size     int64
	locked   error
}

var errUnprotected = errors.New("nobody is let in: --web.config.file has lost its users, and other machines can reach this server; put basic_auth_users back")

func newWebConfig(file string, required bool, logger *slog.Logger) *webConfig {
	return &webConfig{file: file, required: required, log: logger}
}

// problem looks at the file again if it has changed, and tells why nobody may be
// let in, if so.
func (c *webConfig) problem() error {
	if c.file == "" {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var modified time.Time
	var size int64
	if info, err := os.Stat(c.file); err == nil {
		modified, size = info.ModTime(), info.Size()
	}
	if modified.Equal(c.modified) && size == c.size {
		return c.locked
	}
	c.modified, c.size = modified, size
	_, authenticated, err := readWebConfig(c.file)
	if err == nil {
		err = web.Validate(c.file)
	}
	c.locked = nil
	switch {
	case err != nil:
		c.log.Error("The web configuration is bad: requests are refused until it is mended", "file", c.file, "err", err)
		c.locked = errors.New("nobody is let in: --web.config.file is bad, the log says why")
	case c.required && !authenticated:
		c.log.Error("The web configuration has no users any more: requests are refused", "file", c.file)
		c.locked = errUnprotected
	}
	return c.locked
}
