package ship

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/pm25/pm25/internal/record"
)

const victimEnv = "PM25_TEST_VICTIM"

// victim puts records and sends them until it is killed. It prints the id of each
// record once that is on disk.
func victim() {
	args := strings.Split(os.Getenv(victimEnv), "\n")
	s, err := Open(Options{
		Dir: args[0], URL: args[1], TokenFile: args[2], Host: "h", MaxBytes: 64 << 20,
		Logger: log.NewLogfmtLogger(os.Stderr), Now: time.Now, linger: 2 * time.Millisecond,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ctx := context.Background()
	go func() { _ = s.Run(ctx) }()
	for worker := range 4 {
		go func() {
			for n := range 1_000_000 {
				r := numbered(n)
				r.Message = strings.Repeat("x", (n*37+worker*611)%record.MaxMessage)
				if err := s.Put(ctx, r); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				fmt.Println(r.ID) // one write: whole or not at all
			}
		}()
	}
	select {}
}

// Killed again and again while it writes and sends, and with a server that loses
// answers: each record that Put has confirmed is stored, and none twice.
func TestKilled(t *testing.T) {
	rounds := 12
	if n, err := strconv.Atoi(os.Getenv("PM25_TEST_ROUNDS")); err == nil {
		rounds = n
	}
	s := newServer()
	web := httptest.NewServer(forgetful(s))
	defer web.Close()
	dir, token := t.TempDir(), tokenFile(t)
	confirmed := map[string]bool{}
	for range rounds {
		cmd := exec.CommandContext(t.Context(), os.Args[0])
		cmd.Env = append(os.Environ(), victimEnv+"="+dir+"\n"+web.URL+"\n"+token)
		var stderr strings.Builder
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		ok(t, err)
		ok(t, cmd.Start())
		enough := 1 + rand.IntN(150)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			confirmed[lines.Text()] = true
			if enough--; enough == 0 {
				ok(t, cmd.Process.Kill())
			}
		}
		_ = cmd.Wait()
		if enough > 0 {
			t.Fatalf("it ended by itself: %s", &stderr)
		}
	}
	torn, left := deliverRest(t, dir, web.URL, token)
	for id := range confirmed {
		if s.store[id] == "" {
			t.Errorf("record %s is lost", id)
		}
	}
	t.Logf("%d kills: %d records confirmed, %d stored, %d of them came again; at the end %d were left and %d bytes torn", rounds, len(confirmed), s.stored(), s.twice, left, torn)
}

// deliverRest sends what is left in a folder.
func deliverRest(t *testing.T, dir, url, token string) (torn uint64, left int) {
	t.Helper()
	r := newRigAt(t, nil, url, func(o *Options) { o.Dir, o.TokenFile, o.MaxBytes, o.Now = dir, token, 64<<20, time.Now })
	r.o.linger = time.Nanosecond
	left = r.pending()
	for deadline := time.Now().Add(20 * time.Second); r.pending() > 0; {
		if time.Now().After(deadline) {
			t.Fatalf("%d records stay: %s", r.pending(), r.logs)
		}
		wait, _ := r.turn(t.Context())
		time.Sleep(min(wait, 10*time.Millisecond))
	}
	st := r.Stats()
	if len(st.Dropped) != 0 || st.Spool.CorruptBytes != 0 {
		t.Errorf("dropped %v, %d bytes corrupt", st.Dropped, st.Spool.CorruptBytes)
	}
	return st.Spool.TornBytes, left
}
