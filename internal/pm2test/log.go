package pm2test

import (
	"bytes"
	"os"
	"sync"
	"testing"
	"time"
)

// FollowLog calls f with each line of the daemon's log, from the first on, and
// with the time at which it was there to read. It ends with the test.
func (d *Daemon) FollowLog(t testing.TB, f func(line []byte, at time.Time)) {
	t.Helper()
	file, err := os.Open(d.LogPath())
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		var rest []byte
		buf := make([]byte, 64<<10)
		for {
			n, _ := file.Read(buf) // at the end it gives nothing, and is asked again
			rest = append(rest, buf[:n]...)
			for i := bytes.IndexByte(rest, '\n'); i >= 0; i = bytes.IndexByte(rest, '\n') {
				f(rest[:i], time.Now())
				rest = rest[i+1:]
			}
			select {
			case <-done:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	})
	t.Cleanup(func() {
		close(done)
		wg.Wait()
		file.Close()
	})
}
