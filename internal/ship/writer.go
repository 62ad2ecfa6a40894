package ship

import (
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/ship/spool"
)

const (
	commitEvery = 50 * time.Millisecond // of records that nobody waits for
	retryWrite  = time.Second
)

// write takes the queue to the disk until it is closed and empty.
func (s *Shipper) write() {
	defer close(s.written)
	var rest <-chan time.Time // while records that nobody waits for rest
	for {
		select {
		case <-rest:
			rest = nil
		default:
		}
		batch, full, closed := s.queue.take(rest != nil)
		if len(batch) == 0 {
			if closed {
				return
			}
			select {
			case <-s.queue.wake:
			case <-rest:
				rest = nil
			}
			continue
		}
		offers, err := s.commit(batch)
		switch {
		case err != nil && closed:
			s.dropOffers(offers, AtShutdown)
		case err != nil:
			s.queue.back(offers)
			rest = time.After(retryWrite)
		case len(offers) > 0 && !full:
			rest = time.After(commitEvery)
		}
	}
}

// commit writes a batch, tells those who wait for it, and returns the entries that
// nobody waits for.
func (s *Shipper) commit(batch []entry) (offers []entry, err error) {
	records := make([]spool.Record, len(batch))
	for i, e := range batch {
		records[i] = e.Record
	}
	err = s.spool.Append(records...)
	for _, e := range batch {
		if e.done != nil {
			e.done <- err
		} else {
			offers = append(offers, e)
		}
	}
	if err != nil {
		if s.diskTrouble.due(s.o.Now()) {
			level.Error(s.o.Logger).Log("msg", "Records can not be written to the spool; those that were offered wait in memory", "err", err)
		}
		return offers, err
	}
	if s.diskTrouble.over() {
		level.Info(s.o.Logger).Log("msg", "Records are written to the spool again")
	}
	select {
	case s.more <- struct{}{}:
	default:
	}
	return offers, nil
}

func (s *Shipper) dropOffers(entries []entry, why Reason) {
	for _, e := range entries {
		s.count.drop(e.Kind, why, 1)
	}
}

// trouble is told of when it begins, and then now and again.
type trouble struct {
	what string
	next time.Time // zero: there is none
}

const tellAgain = 10 * time.Minute

func (t *trouble) due(now time.Time) bool { return t.dueFor("", now) }

// dueFor is due for one trouble of several.
func (t *trouble) dueFor(what string, now time.Time) bool {
	if what == t.what && !t.next.IsZero() && now.Before(t.next) {
		return false
	}
	t.what, t.next = what, now.Add(tellAgain)
	return true
}

// over ends it, and tells whether there was any.
func (t *trouble) over() bool {
	was := !t.next.IsZero()
	*t = trouble{}
	return was
}
