package ship

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship/spool"
)

func TestCloseWritesWhatWaits(t *testing.T) {
	r := newRig(t, nil)
	for n := range 300 {
		if !r.Offer(numbered(n)) {
			t.Fatal("the queue is full")
		}
	}
	ok(t, r.Close())
	again := newRig(t, func(o *Options) { o.Dir = r.o.Dir })
	if n := again.pending(); n != 300 {
		t.Errorf("%d records are on disk", n)
	}
	if r.Offer(numbered(0)) || !errors.Is(r.Put(t.Context(), numbered(0)), ErrClosed) {
		t.Error("a closed shipper takes records")
	}
	if diff := cmp.Diff(map[Drop]uint64{{record.Start, AtShutdown}: 1}, r.Stats().Dropped); diff != "" {
		t.Error(diff)
	}
	r.Shipper = again.Shipper // for the cleanup
}

func TestWhatCanNotBeKeptIsCounted(t *testing.T) {
	r := newRig(t, nil)
	large := numbered(0)
	large.Message = strings.Repeat("x", record.MaxRecord)
	noJSON := &record.Record{Kind: record.Event, Event: &record.EventInfo{Name: "e", Data: []byte("{")}}
	odd := numbered(1)
	odd.Kind, odd.Message = "odd", large.Message
	for _, bad := range []*record.Record{large, noJSON, odd} {
		if r.Offer(bad) || r.Put(t.Context(), bad) == nil {
			t.Errorf("took a record of kind %s", bad.Kind)
		}
	}
	want := map[Drop]uint64{{record.Start, Unfit}: 1, {record.Event, Unfit}: 1, {spool.Unknown, Unfit}: 1}
	if diff := cmp.Diff(want, r.Stats().Dropped); diff != "" {
		t.Error(diff)
	}
}

func TestWhatIsMissingIsFilledIn(t *testing.T) {
	r := newRig(t, nil)
	rec := numbered(7)
	rec.V, rec.ID, rec.Host = 0, "", ""
	rec.Message = "<中文> & more\x1e"
	ok(t, r.Put(t.Context(), rec))
	r.next(t)
	if rec.V != record.Version || rec.Host != "web-1" || r.server.store[rec.ID] == "" || !strings.Contains(r.server.store[rec.ID], "中文") {
		t.Errorf("%+v, stored %v", rec, r.server.store)
	}
}

func TestPutDoesNotWaitForever(t *testing.T) {
	r := newRig(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if err := r.Put(ctx, numbered(0)); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

func TestQueueIsBounded(t *testing.T) {
	q := newQueue()
	offer := func(size int) bool {
		added, _ := q.add(entry{Record: spool.Record{JSON: make([]byte, size)}})
		return added
	}
	for round := range 3 {
		for n := range maxQueueRecords {
			if !offer(10) {
				t.Fatalf("round %d: full after %d records", round, n)
			}
		}
		if offer(10) {
			t.Error("more records than may wait")
		}
		if added, _ := q.add(entry{done: make(chan error, 1)}); !added {
			t.Error("somebody who waits is sent away")
		}
		if batch, _, _ := q.take(true); len(batch) != 1 {
			t.Errorf("%d entries while offers rest", len(batch))
		}
		for len(q.entries) > 0 {
			batch, _, _ := q.take(false)
			if round == 1 { // as after a failure
				q.back(batch)
				batch, _, _ = q.take(false)
			}
			if len(batch) == 0 {
				t.Fatal("nothing is taken")
			}
		}
		for q.bytes+record.MaxRecord <= maxQueueBytes {
			if !offer(record.MaxRecord) {
				t.Fatal("full too early")
			}
		}
		if offer(record.MaxRecord) {
			t.Error("more bytes than may wait")
		}
		for len(q.entries) > 0 {
			if batch, _, _ := q.take(false); len(batch) > commitBytes/record.MaxRecord {
				t.Errorf("%d entries in a commit", len(batch))
			}
		}
	}
}
