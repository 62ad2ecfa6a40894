package access

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"go.yaml.in/yaml/v2"
	"golang.org/x/time/rate"
)

// settings is one reading of --web.config.file.
type settings struct {
	users        map[string]string // name to bcrypt hash
	certificates bool              // connections have a verified certificate, or there are none
	headers      map[string]string
	limiter      *rate.Limiter // nil: none
}

func (s *settings) authenticates() bool { return len(s.users) > 0 || s.certificates }

// webConfig follows --web.config.file: a file that loses its users while we run
// must not open the door.
type webConfig struct {
	file     string
	required bool // without users nobody is let in
	log      *slog.Logger

	mu       sync.Mutex
	modified time.Time
	size     int64
	now      *settings // the last good one
	locked   error
}

var errUnprotected = errors.New("nobody is let in: --web.config.file has lost its users, and other machines can reach this server; put basic_auth_users back")

func newWebConfig(file string, required bool, logger *slog.Logger) *webConfig {
	return &webConfig{file: file, required: required, log: logger, now: &settings{}}
}

// current looks at the file again if it has changed. The error tells why nobody
// may be let in; settings are then the last good ones.
func (c *webConfig) current() (*settings, error) {
	if c.file == "" {
		return c.now, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var modified time.Time
	var size int64
	if info, err := os.Stat(c.file); err == nil {
		modified, size = info.ModTime(), info.Size()
	}
	if modified.Equal(c.modified) && size == c.size {
		return c.now, c.locked
	}
	c.modified, c.size = modified, size
	c.read()
	return c.now, c.locked
}

func (c *webConfig) read() {
	c.locked = nil
	conf, err := readWebConfig(c.file)
	if err == nil {
		err = web.Validate(c.file)
	}
	if err != nil {
		c.log.Error("The web configuration is bad: requests are refused until it is mended", "file", c.file, "err", err)
		c.locked = errors.New("nobody is let in: --web.config.file is bad, the log says why")
		return
	}
	c.now = newSettings(conf)
	if c.required && !c.now.authenticates() {
		c.log.Error("The web configuration has no users any more: requests are refused", "file", c.file)
		c.locked = errUnprotected
	}
}

func newSettings(conf *web.Config) *settings {
	s := &settings{users: map[string]string{}, certificates: demandsCertificates(conf), headers: conf.HTTPConfig.Header}
	for name, hash := range conf.Users {
		s.users[name] = string(hash)
	}
	if limit := conf.RateLimiterConfig; limit.Interval > 0 {
		s.limiter = rate.NewLimiter(rate.Every(limit.Interval), limit.Burst)
	}
	return s
}

// readWebConfig reads the file as exporter-toolkit does, with its defaults.
func readWebConfig(file string) (*web.Config, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	conf := &web.Config{
		TLSConfig:  web.TLSConfig{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13},
		HTTPConfig: web.HTTPConfig{HTTP2: true},
	}
	if err := yaml.UnmarshalStrict(data, conf); err != nil {
		return nil, err
	}
	conf.TLSConfig.SetDirectory(filepath.Dir(file))
	return conf, nil
}

func authenticates(c *web.Config) bool { return len(c.Users) > 0 || demandsCertificates(c) }

func demandsCertificates(c *web.Config) bool {
	return strings.HasPrefix(c.TLSConfig.ClientAuth, "RequireAndVerify")
}
