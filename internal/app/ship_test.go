package app

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship"
)

func TestTheCatalogNamesWhatTheShipperCounts(t *testing.T) {
	for what, diff := range map[string]string{
		"kinds":        cmp.Diff(texts(ship.Kinds()), catalog.RecordKinds()),
		"reasons":      cmp.Diff(texts(ship.Reasons()), catalog.ShipDropReasons()),
		"failures":     cmp.Diff(texts(ship.Failures()), catalog.ShipFailures()),
		"dead letters": cmp.Diff(texts(ship.LetterReasons()), catalog.DeadLetterReasons()),
	} {
		if diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func texts[S ~string](in []S) []string {
	var out []string
	for _, s := range in {
		out = append(out, string(s))
	}
	return out
}

func TestFlagsThatDoNothingAreRefused(t *testing.T) {
	for flag, o := range map[string]ShipOptions{
		"--server.token-file": {TokenFile: "t"}, "--server.ca-file": {CAFile: "c"},
		"--server.insecure": {Insecure: true}, "--web.advertise-address": {Advertise: "a:1"},
	} {
		if err := o.validate(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	if err := (ShipOptions{Host: "h", Dir: "d"}).validate(); err != nil { // of use, or harmless
		t.Error(err)
	}
}

// server answers with a receipt for everything, without a network.
type server struct{ got chan record.Batch }

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		var err error
		if body, err = gzip.NewReader(r.Body); err != nil {
			return nil, err
		}
	}
	var b record.Batch
	if err := json.NewDecoder(body).Decode(&b); err != nil {
		return nil, err
	}
	s.got <- b
	answer := fmt.Sprintf(`{"stored":%d}`, len(b.Records))
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(answer)), Header: http.Header{}, Request: r}, nil
}

// What was offered before the agent ended is on disk, and goes to the server when it
// runs again.
func TestRecordsOutliveTheAgent(t *testing.T) {
	dir := t.TempDir()
	s := server{got: make(chan record.Batch, 16)}
	open := func(o ShipOptions) *Agent {
		a, err := NewAgent(Options{
			Homes: []string{"none=" + filepath.Join(dir, "none")}, ForgetAfter: time.Hour, StateDir: filepath.Join(dir, "state"), TelemetryPath: "/metrics",
			CustomPerProcess: 10, Collectors: map[string]bool{}, Logger: log.NewNopLogger(), Slog: slog.New(slog.DiscardHandler), Now: time.Now, Ship: o,
		})
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	inProcess := ShipOptions{URL: "http://server.in-process", Host: "web-1", Token: func() (string, error) { return "t", nil }, Transport: s}
	a := open(inProcess)
	if !a.Records().Offer(&record.Record{At: time.Now().UnixNano(), Kind: record.Start, App: "shop", Level: record.LevelInfo}) {
		t.Fatal("the record is dropped")
	}
	a.Close()
	a = open(inProcess)
	defer a.Close()
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	for {
		if b := <-s.got; len(b.Records) == 1 && b.Records[0].App == "shop" && b.Records[0].Host == "web-1" {
			break
		}
	}
	if err := a.Stop(); err != nil {
		t.Fatal(err)
	}
	a.Close()
	if none := open(ShipOptions{}); none.Records() != nil {
		t.Error("there are records without a server")
	} else {
		none.Close()
	}
}
