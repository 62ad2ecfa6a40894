package main

import (
	"fmt"
	"strconv"

	"github.com/alecthomas/kingpin/v2"
	"github.com/alecthomas/units"

	"github.com/pm25/pm25/internal/app"
	"github.com/pm25/pm25/internal/ship"
)

// shipFlags are the flags of sending records to a server.
func shipFlags(cli *kingpin.Application, o *app.ShipOptions) {
	cli.Flag("server.url", "Send records of exceptions, exits, deploys and the like to this PM25 server, as https://HOST:PORT. Default: make none.").StringVar(&o.URL)
	cli.Flag("server.token-file", "File with the token of a bucket of the server. Read for each request.").StringVar(&o.TokenFile)
	cli.Flag("server.ca-file", "Certificates in PEM form that the server's may be signed by. Default: the system's.").StringVar(&o.CAFile)
	cli.Flag("server.insecure", "Allow --server.url to be http:// to another host: the token can be read on the way.").BoolVar(&o.Insecure)
	cli.Flag("spool.dir", "Folder for records until the server has them. Default: spool in --state.dir.").StringVar(&o.Dir)
	cli.Flag("spool.max-bytes", "Size of the spool at which the oldest records are dropped.").Default("256MiB").SetValue(&bytesValue{&o.MaxBytes})
	cli.Flag("host.name", "Name of this host in records. Default: the machine's.").StringVar(&o.Host)
	cli.Flag("web.advertise-address", "Tell the server that Prometheus finds this agent's metrics at HOST:PORT, or https://HOST:PORT.").StringVar(&o.Advertise)
}

// bytesValue is a number of bytes, as 256MiB: powers of 1024.
type bytesValue struct{ bytes *int64 }

// Set reads the text of the flag.
func (b *bytesValue) Set(text string) error {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		parsed, parseErr := units.ParseBase2Bytes(text)
		n, err = int64(parsed), parseErr
	}
	if err != nil || n < 1 {
		return fmt.Errorf("--spool.max-bytes=%s: write it as 256MiB", text)
	}
	*b.bytes = n
	return nil
}

// String writes it as Set reads it.
func (b *bytesValue) String() string {
	if b.bytes == nil || *b.bytes == 0 {
		return units.Base2Bytes(ship.DefaultMaxBytes).String()
	}
	return units.Base2Bytes(*b.bytes).String()
}
