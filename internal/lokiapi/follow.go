package lokiapi

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/pm25/pm25/internal/logql"
	"github.com/pm25/pm25/sessionstore"
)

const (
	followBatch = 1000        // entries at once
	followLag   = 20_000      // entries that a slow client may be behind; then all but the newest batch are dropped
	followLate  = time.Minute // by which an entry may come late and still be seen
	followSeen  = 5000        // entries that are remembered to know late ones by; a busy time shortens followLate
	maxDropped  = 100         // that one message names
)

// A follower reads what a source gets, once each: from its place on, and again a
// little before it, since records arrive out of order. It holds no more than a
// batch; what a slow client has not taken yet stays in the source.
type follower struct {
	source   Source
	log      *logql.LogExpr
	pipeline *logql.Pipeline
	now      func() time.Time
	newest   int64            // that was read, but not ahead of the clock
	floor    int64            // nothing before it is looked at again
	seen     map[string]int64 // ids from floor on
}

// A batch is what one message tells.
type batch struct {
	streams []*logql.LogStream
	dropped []droppedEntry
	left    int // that were dropped, with those that are not named
	read    int // entries, with those that the pipeline left out
}

type droppedEntry struct {
	stream *sessionstore.Stream
	at     int64
}

func (b batch) empty() bool { return b.read == 0 && len(b.dropped) == 0 }

func newFollower(source Source, log *logql.LogExpr, start int64, now func() time.Time) *follower {
	return &follower{source: source, log: log, pipeline: logql.NewPipeline(log), now: now, floor: start, seen: map[string]int64{}}
}

func (f *follower) selection(start int64) sessionstore.Selection {
	return sessionstore.Selection{Matchers: f.log.Matchers, Start: start, End: math.MaxInt64}
}

// history returns the newest lines from the start on, and passes over the others.
func (f *follower) history(ctx context.Context, limit int) (batch, error) {
	back := f.selection(f.floor)
	back.Backward = true
	f.newest = f.now().Add(-followLate).UnixNano()
	var streams []*sessionstore.Entry
	looked := 0
	err := f.source.Entries(ctx, back, func(e *sessionstore.Entry) bool {
		f.note(e)
		if looked++; len(f.pipeline.Run([]*sessionstore.Entry{e})) > 0 {
			streams = append(streams, e)
		}
		return len(streams) < limit && looked < followLag
	})
	if err != nil {
		return batch{}, err
	}
	f.forget()
	err = f.source.Entries(ctx, f.selection(f.floor), func(e *sessionstore.Entry) bool { f.note(e); return true })
	f.forget()
	slices.Reverse(streams)
	return batch{streams: f.pipeline.Run(streams), read: len(streams)}, err
}

func (f *follower) note(e *sessionstore.Entry) {
	f.seen[e.ID] = e.At
	// A host's clock may be ahead; what others tell meanwhile is not late.
	f.newest = max(f.newest, min(e.At, f.now().UnixNano()))
	if len(f.seen) > 4*followSeen {
		f.forget()
	}
}

// forget moves the floor up behind the newest.
func (f *follower) forget() {
	f.floor = max(f.floor, f.newest-int64(followLate))
	if len(f.seen) > followSeen {
		times := make([]int64, 0, len(f.seen))
		for _, at := range f.seen {
			times = append(times, at)
		}
		slices.Sort(times)
		f.floor = max(f.floor, times[len(times)-followSeen])
	}
	for id, at := range f.seen {
		if at < f.floor {
			delete(f.seen, id)
		}
	}
}

// next returns the next batch of what is new.
func (f *follower) next(ctx context.Context) (batch, error) {
	dropped, left, err := f.skip(ctx)
	if err != nil {
		return batch{}, err
	}
	var entries []*sessionstore.Entry
	err = f.source.Entries(ctx, f.selection(f.floor), func(e *sessionstore.Entry) bool {
		if _, known := f.seen[e.ID]; !known {
			entries = append(entries, e)
		}
		return len(entries) < followBatch
	})
	if err != nil {
		return batch{}, err
	}
	for _, e := range entries {
		f.note(e)
	}
	f.forget()
	return batch{streams: f.pipeline.Run(entries), dropped: dropped, left: left, read: len(entries)}, nil
}

// skip drops what a client is too far behind with, names some and counts all.
func (f *follower) skip(ctx context.Context) (dropped []droppedEntry, left int, err error) {
	var recent []droppedEntry // the last batch, as a ring
	count := 0
	err = f.source.Times(ctx, f.selection(f.newest+1), func(st *sessionstore.Stream, at int64) bool {
		d := droppedEntry{st, at}
		if len(recent) < followBatch {
			recent = append(recent, d)
		} else {
			recent[count%followBatch] = d
		}
		if len(dropped) < maxDropped {
			dropped = append(dropped, d)
		}
		count++
		return true
	})
	if err != nil || count <= followLag {
		return nil, 0, err
	}
	f.newest = recent[count%followBatch].at - 1
	f.floor = f.newest + 1
	f.forget()
	return dropped, count - followBatch, nil
}
