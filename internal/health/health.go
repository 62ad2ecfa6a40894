// Package health asks a program of ours whether it is ready, for the health
// checks of containers in which there is nothing else to ask with.
package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
)

// Add adds the command; ask is what it does.
func Add(cli *kingpin.Application, port string) (command *kingpin.CmdClause, ask func() error) {
	command = cli.Command("health", "Fail if the program that runs here is not ready: for health checks of containers.")
	url := command.Flag("url", "What to ask.").Default("http://127.0.0.1:" + port + "/-/ready").String()
	return command, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return Ask(ctx, *url)
	}
}

// Ask returns nil where the answer is 200.
func Ask(ctx context.Context, url string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 1000))
	if res.StatusCode == http.StatusOK {
		return nil
	}
	return errors.Join(fmt.Errorf("%s answers %s: %s", url, res.Status, strings.TrimSpace(string(text))), err)
}
