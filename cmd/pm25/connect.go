package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"path/filepath"

	"github.com/alecthomas/kingpin/v2"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/client"
)

// connection is how a command reaches a server.
type connection struct {
	options                          client.Options
	dataDir, tokenFile, passwordFile string
}

// addConnection adds the flags to a command and all below it.
func addConnection(cmd *kingpin.CmdClause) *connection {
	c := &connection{}
	cmd.Flag("server.url", "Where pm25 server or pm25 up answers.").Envar("PM25_SERVER_URL").Default("http://127.0.0.1:9725").StringVar(&c.options.URL)
	cmd.Flag("server.ca-file", "CA of its certificate.").ExistingFileVar(&c.options.CAFile)
	cmd.Flag("token-file", "File with the operator token. Default: operator.token in --data.dir, for a server on this machine.").StringVar(&c.tokenFile)
	cmd.Flag("data.dir", "Data folder of a server on this machine.").Default(defaultDataDir()).StringVar(&c.dataDir)
	cmd.Flag("user", "User of the server's --web.config.file, instead of a token.").StringVar(&c.options.User)
	cmd.Flag("password-file", "File with the user's password.").StringVar(&c.passwordFile)
	return c
}

// client reads the credentials. The token of this machine's server is sent to no
// other machine.
func (c *connection) client() (*client.Client, error) {
	var err error
	switch {
	case c.options.User != "" && c.passwordFile == "":
		return nil, errors.New("--user needs --password-file")
	case c.options.User == "" && c.passwordFile != "":
		return nil, errors.New("--password-file needs --user")
	case c.options.User != "":
		if c.options.Password, err = access.ReadToken(c.passwordFile); err != nil {
			return nil, fmt.Errorf("--password-file: %w", err)
		}
	case c.tokenFile != "":
		if c.options.Token, err = access.ReadToken(c.tokenFile); err != nil {
			return nil, fmt.Errorf("--token-file: %w", err)
		}
	case isLoopback(c.options.URL):
		c.options.Token, err = access.ReadToken(filepath.Join(c.dataDir, access.OperatorFile))
		// Where it can not be read, reading may be free all the same.
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return nil, fmt.Errorf("operator token: %w", err)
		}
	}
	return client.New(c.options)
}

func isLoopback(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}
