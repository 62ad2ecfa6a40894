package ship

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pm25/pm25/internal/disktest"
	"github.com/pm25/pm25/internal/record"
)

// With a full disk Put fails, what was offered waits, what was kept is sent; when
// there is room again all goes on, and nothing that was confirmed is lost.
func TestDiskFull(t *testing.T) {
	disktest.Run(t, 2<<20, func(disk string) {
		r := newRig(t, func(o *Options) { o.Dir, o.MaxBytes, o.Now, o.linger = disk, 4<<20, time.Now, time.Nanosecond })
		ok(t, os.WriteFile(filepath.Join(disk, "ballast"), make([]byte, 512<<10), 0o600))

		confirmed := r.putUntilFull(t, 0)
		if confirmed < 300 {
			t.Errorf("only %d records fit", confirmed)
		}
		offered := 0
		for n := range maxQueueRecords + 100 {
			if r.Offer(big(100_000 + n)) {
				offered++
			}
		}
		if dropped := r.Stats().Dropped[Drop{record.Start, QueueFull}]; offered == 0 || offered+int(dropped) != maxQueueRecords+100 {
			t.Errorf("%d offered, %d dropped", offered, dropped)
		}
		ok(t, os.Remove(filepath.Join(disk, "ballast"))) // there is room again, without the server
		until(t, "offers are on disk", func() bool { return r.Stats().Spool.Spooled[record.Start] > uint64(confirmed) })
		confirmed += r.putUntilFull(t, confirmed)

		until(t, "all is sent", func() bool { // which makes room for what was offered
			_, _ = r.turn(t.Context())
			return r.Stats().Spool.Spooled[record.Start] == uint64(confirmed+offered) && r.pending() == 0
		})
		if n := r.server.stored(); n != confirmed+offered {
			t.Errorf("%d stored, %d confirmed and %d offered; %d wait, %+v", n, confirmed, offered, r.queue.waiting(), r.Stats())
		}
		if st := r.Stats(); st.Spool.Failures < 2 || st.Spool.CorruptBytes+st.Spool.TornBytes != 0 || len(st.Dropped) > 1 {
			t.Errorf("%+v", st)
		}
	})
}

// big is a record of about 2 KB.
func big(n int) *record.Record {
	r := numbered(n)
	r.Message = strings.Repeat("x", 1700)
	return r
}

func (r *rig) putUntilFull(t *testing.T, from int) (put int) {
	t.Helper()
	for {
		err := r.Put(t.Context(), big(from+put))
		if errors.Is(err, unix.ENOSPC) {
			return put
		}
		ok(t, err)
		put++
	}
}
