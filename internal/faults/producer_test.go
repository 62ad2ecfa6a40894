//go:build faults

package faults

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/proctest"
	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship"
)

var programs proctest.Builder

// TestMain runs as the producer where it was started as one.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PM25_FAULTS_SPOOL"); dir != "" {
		if err := produce(dir, os.Getenv("PM25_FAULTS_URL"), os.Getenv("PM25_FAULTS_TOKEN"), os.Getenv("PM25_FAULTS_BOOK")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	programs.Main(m)
}

const (
	writers = 4
	bugs    = 5 // of which exceptions are thrown
)

// produce puts records into a spool as fast as the disk takes them, and notes
// each in the book: "?" before, "!" when the spool has acknowledged it. When its
// input ends it puts no more, and ends itself when the server has all.
func produce(dir, url, token, book string) error {
	s, err := ship.Open(ship.Options{
		Dir: dir, URL: url, TokenFile: token, Host: "web-1", AgentVersion: "test", Logger: log.NewLogfmtLogger(os.Stderr), Now: time.Now,
	})
	if err != nil {
		return err
	}
	notes, err := os.OpenFile(book, os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	putting, enough := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		enough()
	}()
	running, stop := context.WithCancel(context.Background())
	var shipping sync.WaitGroup
	shipping.Go(func() { _ = s.Run(running) })
	var putters sync.WaitGroup
	for range writers {
		putters.Go(func() { putAll(putting, s, notes) })
	}
	putters.Wait()
	for s.Stats().Spool.Records > 0 {
		time.Sleep(5 * time.Millisecond) // what ends is another process's doing
	}
	stop()
	shipping.Wait()
	return s.Close()
}

func putAll(ctx context.Context, s *ship.Shipper, notes io.Writer) {
	for ctx.Err() == nil {
		r := happening()
		line := fmt.Sprintf(" %s %d %d\n", r.ID, r.Count(), bugOf(r))
		if _, err := io.WriteString(notes, "?"+line); err != nil {
			panic(err)
		}
		if err := s.Put(context.Background(), r); err != nil {
			time.Sleep(5 * time.Millisecond) // a full disk
			continue
		}
		if _, err := io.WriteString(notes, "!"+line); err != nil {
			panic(err)
		}
		time.Sleep(time.Duration(4+rand.IntN(12)) * time.Millisecond)
	}
}

// happening is an exception, or an event as large as they get.
func happening() *record.Record {
	now := time.Now()
	r := &record.Record{
		V: record.Version, ID: record.NewID(now), At: now.UnixNano(), Kind: record.Event, Host: "web-1", Daemon: "deploy", Namespace: "default", App: "shop",
		PMID: rand.IntN(4), PID: 4711, Version: "1.0.0", Level: record.LevelInfo, Source: record.FromExt,
	}
	if rand.IntN(2) == 0 {
		r.Event = &record.EventInfo{Name: "order", Data: []byte(`"` + strings.Repeat("余额", rand.IntN(1000)) + `"`)}
		return r
	}
	bug := rand.IntN(bugs)
	r.Kind, r.Level, r.Occurrences = record.Exception, record.LevelError, uint64(1+rand.IntN(3))
	r.Exception = &record.ExceptionInfo{
		Fingerprint: strings.Repeat(fmt.Sprintf("%x", bug), 64), Algo: 1, Title: fmt.Sprintf("Error: bug %d", bug), Name: "Error", Message: fmt.Sprintf("bug %d", bug),
		Mechanism: record.Uncaught, Stack: "Error: bug\n    at f (app.js:1:1)",
	}
	return r
}

// bugOf is the number of a record's bug, -1 where it is none.
func bugOf(r *record.Record) int {
	if r.Exception == nil {
		return -1
	}
	return strings.Index("0123456789", r.Exception.Fingerprint[:1])
}
