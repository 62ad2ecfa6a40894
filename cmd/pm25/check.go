package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"

	"github.com/pm25/pm25/internal/access"
	"github.com/pm25/pm25/internal/client"
	"github.com/pm25/pm25/internal/record"
)

// checkApp is whose event the check pushes.
const checkApp = "pm25-check"

// addCheck adds `pm25 check`.
func addCheck(cli *kingpin.Application, commands map[string]func() error) {
	cmd := cli.Command("check", "Go the way of metrics and records once: scrape the agent, push an event to the server and read it back.")
	c := addConnection(cmd)
	d := doctor{}
	cmd.Flag("agent.url", "Where the agent's metrics are; empty leaves them out.").Default("http://127.0.0.1:9209/metrics").StringVar(&d.agentURL)
	cmd.Flag("server.token-file", "File with the bucket's token that agents push with; without it nothing is pushed.").StringVar(&d.pushTokenFile)
	commands[cmd.FullCommand()] = func() error {
		var err error
		if d.server, err = c.client(); err != nil {
			return err
		}
		return d.run()
	}
}

// doctor goes through the steps, and on after one that fails.
type doctor struct {
	agentURL, pushTokenFile string
	server                  *client.Client
	failed                  int
}

func (d *doctor) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if d.agentURL != "" {
		d.step("agent", func() (string, error) { return scrapeAgent(ctx, d.agentURL) })
	}
	d.step("server", func() (string, error) {
		buckets, err := d.server.Buckets(ctx)
		return fmt.Sprintf("answers, and lets us read; buckets with tokens: %d", len(buckets)), err
	})
	if d.server.HasCredentials() {
		d.step("operator", func() (string, error) {
			who, err := d.server.WhoAmI(ctx)
			return "lets us change groups and buckets, as " + who.Name, err
		})
	} else {
		fmt.Println("-   operator left out: there is no operator token; --token-file or --data.dir names it")
	}
	if d.pushTokenFile == "" {
		fmt.Println("-   push     left out: name the file with a bucket's token by --server.token-file (pm25 bucket create makes one)")
	} else {
		d.pushAndRead(ctx)
	}
	if d.failed > 0 {
		return fmt.Errorf("%d of the steps failed, see above", d.failed)
	}
	return nil
}

func (d *doctor) step(name string, do func() (string, error)) bool {
	text, err := do()
	if err != nil {
		d.failed++
		fmt.Printf("BAD %-8s %s\n", name, oneLine(err.Error()))
		return false
	}
	fmt.Printf("ok  %-8s %s\n", name, oneLine(text))
	return true
}

func (d *doctor) pushAndRead(ctx context.Context) {
	r := testRecord(time.Now())
	pushed := d.step("push", func() (string, error) {
		token, err := access.ReadToken(d.pushTokenFile)
		if err != nil {
			return "", fmt.Errorf("--server.token-file: %w", err)
		}
		receipt, err := d.server.Push(ctx, token, record.Batch{V: record.Version, Agent: record.Agent{Host: r.Host, Version: version.Version}, Records: []*record.Record{r}})
		switch {
		case err != nil:
			return "", err
		case len(receipt.Refused) > 0:
			return "", errors.New("the record was refused: " + receipt.Refused[0].Error)
		case receipt.Stored != 1:
			return "", fmt.Errorf("the server says that it has stored %d records, not one", receipt.Stored)
		}
		return "an event is stored", nil
	})
	if !pushed {
		return
	}
	var bucket string
	d.step("read", func() (string, error) {
		got, err := d.server.Record(ctx, r.ID)
		switch {
		case err != nil:
			return "", err
		case got.Record.Event == nil || !bytes.Equal(got.Record.Event.Data, r.Event.Data):
			return "", errors.New("the event came back as another")
		}
		bucket = got.Bucket
		return "it is in bucket " + bucket, nil
	})
	d.step("query", func() (string, error) {
		at := r.Time()
		result, err := d.server.Query(ctx, client.LogQuery{
			Query: fmt.Sprintf(`{app=%q} |= %q`, checkApp, string(r.Event.Data)), Start: at.Add(-time.Second), End: at.Add(time.Second), Limit: 10,
		})
		if err == nil && len(result.Entries) != 1 {
			err = fmt.Errorf("it is found %d times by Loki's API, not once", len(result.Entries))
		}
		return "Loki's API finds it", err
	})
}

// testRecord is an event that nothing else looks like.
func testRecord(now time.Time) *record.Record {
	host, err := os.Hostname()
	if err != nil || host == "" {
		host = "localhost"
	}
	return &record.Record{
		V: record.Version, ID: record.NewID(now), At: now.UnixNano(), Kind: record.Event, Host: host, Daemon: "none", Namespace: "default",
		App: checkApp, PMID: -1, Level: record.LevelInfo, Source: record.FromServer,
		Event: &record.EventInfo{Name: "check", Data: []byte(strconv.Quote(rand.Text()))},
	}
}

// scrapeAgent reads the agent's metrics as Prometheus does.
func scrapeAgent(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", fmt.Errorf("--agent.url: %w", err)
	}
	res, err := (&http.Client{Timeout: 15 * time.Second}).Do(r)
	if err != nil {
		return "", fmt.Errorf("%w: is pm25-agent running there? --agent.url names another place; --agent.url= leaves it out, as on a host with pm25 up, which has none", err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s", url, res.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return "", fmt.Errorf("%s answers with something else than metrics: %w", url, err)
	}
	var up, down []string
	if f := families["pm2_up"]; f != nil {
		for _, m := range f.Metric {
			name := "?"
			for _, l := range m.Label {
				if l.GetName() == "daemon" {
					name = l.GetValue()
				}
			}
			if m.GetGauge().GetValue() == 1 {
				up = append(up, name)
			} else {
				down = append(down, name)
			}
		}
	}
	switch {
	case families["pm2_up"] == nil:
		return "", fmt.Errorf("%s knows no PM2 daemon: is one running, and may the agent see it?", url)
	case len(down) > 0:
		return "", fmt.Errorf("PM2 %s does not answer the agent; its log says why", strings.Join(down, ", "))
	}
	return fmt.Sprintf("%d families; PM2 %s answers", len(families), strings.Join(up, ", ")), nil
}
