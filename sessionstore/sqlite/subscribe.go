package sqlite

import "sync"

type subscribers struct {
	mu  sync.Mutex
	all map[chan struct{}]struct{}
}

// Subscribe returns a channel that is told after each commit of records, and
// what ends that. One who is slow is told once of several.
func (s *Store) Subscribe() (committed <-chan struct{}, cancel func()) {
	ch := make(chan struct{}, 1)
	s.tell.mu.Lock()
	defer s.tell.mu.Unlock()
	if s.tell.all == nil {
		s.tell.all = map[chan struct{}]struct{}{}
	}
	s.tell.all[ch] = struct{}{}
	return ch, func() {
		s.tell.mu.Lock()
		defer s.tell.mu.Unlock()
		delete(s.tell.all, ch)
	}
}

func (s *subscribers) committed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ch := range s.all {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
