package ship

import (
	"context"
	"net/http"
	"time"

	"github.com/go-kit/log/level"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/internal/ship/spool"
)

const (
	heartbeat  = time.Minute
	batchBytes = 512 << 10 // of the 4 MiB that a server takes: it is held in memory
)

// Run sends until ctx is done. Nothing that it does not send is lost.
func (s *Shipper) Run(ctx context.Context) error {
	s.warnOfToken()
	for {
		wait, hurry := s.turn(ctx)
		var more <-chan struct{} // new records end the wait
		if hurry {
			more = s.more
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		case <-more:
			timer.Stop()
		}
	}
}

func (s *Shipper) warnOfToken() {
	if s.o.Token != nil {
		return
	}
	if mode, open := tooOpen(s.o.TokenFile); open {
		level.Warn(s.o.Logger).Log("msg", "Others can read the token: chmod 600 it", "file", s.o.TokenFile, "mode", mode)
	}
}

// turn sends one batch, if one is due, and tells how long to wait and whether new
// records end that.
func (s *Shipper) turn(ctx context.Context) (wait time.Duration, hurry bool) {
	now := s.o.Now()
	records, size := s.spool.Pending()
	if records == 0 {
		s.since = time.Time{}
		if rest := s.pushed.Add(heartbeat).Sub(now); rest > 0 && rest <= heartbeat {
			return rest, true
		}
		s.pusher.rest()
		return s.settle(ctx, s.pusher.push(ctx, nil), nil)
	}
	if s.since.IsZero() {
		s.since = now
	}
	if rest := s.since.Add(s.o.linger).Sub(now); rest > 0 && rest <= s.o.linger && records < uint64(s.most) && size < batchBytes {
		return rest, true
	}
	batch, err := s.spool.Next(s.most, batchBytes)
	switch {
	case err != nil:
		if s.pushTrouble.dueFor("spool", now) {
			level.Error(s.o.Logger).Log("msg", "The spool can not be read", "err", err)
		}
		return longWait(s.o.random()), false
	case batch == nil: // what waited was damaged or too old
		return 0, true
	}
	return s.settle(ctx, s.pusher.push(ctx, batch.Records), batch)
}

// settle does what an answer asks for. batch is nil for a request without records.
func (s *Shipper) settle(ctx context.Context, a answer, batch *spool.Batch) (wait time.Duration, hurry bool) {
	switch {
	case a.failure == "":
		s.accept(a.receipt, batch)
		return 0, true
	case ctx.Err() != nil:
	case a.failure == TooMuch && batch != nil && len(batch.Records) > 1:
		s.count.failure(a.failure)
		s.most = len(batch.Records) / 2
	case a.failure == TooMuch && batch != nil:
		s.count.failure(a.failure)
		return s.single(ctx, a, batch)
	default:
		s.count.failure(a.failure)
		wait = s.pause(a)
		s.pusher.rest()
	}
	if batch != nil {
		batch.Release()
	}
	return wait, false
}

// single settles that the server refuses a record as a batch of its own. Something
// else may stand in its place and refuse everything: it is asked without a record
// before one is given up.
func (s *Shipper) single(ctx context.Context, a answer, batch *spool.Batch) (wait time.Duration, hurry bool) {
	probe := s.pusher.push(ctx, nil)
	if probe.failure != "" {
		batch.Release()
		return s.settle(ctx, probe, nil)
	}
	reason := TakenForNoBatch
	if a.status == http.StatusRequestEntityTooLarge {
		reason = TakenForTooBig
	}
	s.accept(probe.receipt, nil)
	s.bury(batch, []record.Refusal{{Reason: reason, Error: a.err.Error()}})
	batch.Ack()
	return 0, true
}

// accept takes a receipt.
func (s *Shipper) accept(r record.Receipt, batch *spool.Batch) {
	first := s.pushed.IsZero()
	s.pushed, s.failed = s.o.Now(), 0
	s.count.receipt(r, s.pushed)
	switch {
	case s.pushTrouble.over():
		level.Info(s.o.Logger).Log("msg", "The server takes records again")
	case first:
		level.Info(s.o.Logger).Log("msg", "The server takes records", "url", s.o.URL)
	}
	if batch == nil {
		return
	}
	s.bury(batch, r.Refused)
	batch.Ack()
	s.since = time.Time{}
	s.most = min(s.most*2, record.MaxRecords)
}

// bury puts refused records to the dead letters. Where those can not be written
// the record is gone, and counted as that: it must not hold up the others.
func (s *Shipper) bury(batch *spool.Batch, refused []record.Refusal) {
	if len(refused) == 0 {
		return
	}
	letters := make([]Letter, len(refused))
	for i, r := range refused {
		letters[i] = Letter{At: s.o.Now().UTC(), Reason: r.Reason, Error: told([]byte(r.Error)), Record: batch.Records[r.Index].JSON}
		s.count.letter(r.Reason)
	}
	err := s.letters.add(letters)
	if err != nil {
		for _, r := range refused {
			s.count.drop(batch.Records[r.Index].Kind, NoLetter, 1)
		}
	}
	level.Warn(s.o.Logger).Log("msg", "The server refuses records for good", "records", len(refused), "reason", refused[0].Reason, "first", told([]byte(refused[0].Error)), "kept_in", s.letters.path, "keep_err", err)
}

// pause tells of a failure and returns how long to wait.
func (s *Shipper) pause(a answer) time.Duration {
	s.failed++
	now, random := s.o.Now(), s.o.random()
	if s.pushTrouble.dueFor(string(a.failure), now) {
		level.Warn(s.o.Logger).Log("msg", "The server takes no records; they are kept", "why", a.failure, "err", a.err)
	}
	switch a.failure {
	case NoToken, Unauthorized, NotServer, TooMuch:
		return longWait(random)
	case Throttled, ServerError:
		if wait, given := retryAfter(a.after, now, random); given {
			return wait
		}
	}
	return backoff(s.failed, random)
}
