package access

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/exporter-toolkit/web"
	"golang.org/x/net/netutil"
	"golang.org/x/sync/errgroup"
)

// DefaultMaxConnections is how many connections are served at a time; others
// wait for their turn in the kernel.
const DefaultMaxConnections = 512

// NewServer returns a server with bounds on how long anything may take. The
// gate has to be around the handler already.
func NewServer(handler http.Handler) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		HTTP2: &http.HTTP2Config{MaxConcurrentStreams: 64},
	}
}

// Serve answers on all listeners, over TLS where --web.config.file says so, until
// the server is shut down.
func (g *Gate) Serve(listeners []net.Listener, server *http.Server, maxConnections int) error {
	if err := g.prepareTLS(server); err != nil {
		return err
	}
	var all errgroup.Group
	for _, l := range listeners {
		g.opts.Logger.Info("Listening", "address", l.Addr().String(), "tls", server.TLSConfig != nil)
		all.Go(func() error {
			limited := netutil.LimitListener(l, maxConnections)
			if server.TLSConfig != nil {
				return server.ServeTLS(limited, "", "")
			}
			return server.Serve(limited)
		})
	}
	return all.Wait()
}

// prepareTLS reads the file and its certificates with each connection, so that
// new ones are taken without a restart, and bad ones end the handshake.
func (g *Gate) prepareTLS(server *http.Server) error {
	file := g.opts.WebConfig
	if file == "" {
		return nil
	}
	conf, err := readWebConfig(file)
	if err != nil {
		return fmt.Errorf("--web.config.file %s: %w", file, err)
	}
	server.Protocols = new(http.Protocols)
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(conf.HTTPConfig.HTTP2)
	if !conf.TLSConfig.IsEnabled() {
		return nil
	}
	next := []string{"http/1.1"}
	if conf.HTTPConfig.HTTP2 {
		next = []string{"h2", "http/1.1"}
	}
	read := func() (*tls.Config, error) {
		conf, err := readWebConfig(file)
		if err != nil {
			return nil, err
		}
		c, err := web.ConfigToTLSConfig(&conf.TLSConfig)
		if err == nil {
			c.NextProtos = next
		}
		return c, err
	}
	if server.TLSConfig, err = read(); err != nil {
		return fmt.Errorf("--web.config.file %s: %w", file, err)
	}
	server.TLSConfig.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) { return read() }
	return nil
}
