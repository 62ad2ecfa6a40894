package access

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/bcrypt"
)

const (
	// maxWaiting bounds how many requests wait for a comparison; each takes some
	// tens of milliseconds of a processor.
	maxWaiting = 16
	maxKnown   = 256
)

// passwords compares passwords with bcrypt hashes, one at a time, and remembers
// those that were right. Wrong ones are compared anew each time, so that they
// push nothing out.
type passwords struct {
	key     [32]byte
	waiting atomic.Int32
	compare sync.Mutex

	mu    sync.Mutex
	known map[[sha256.Size]byte]struct{}
}

func newPasswords() *passwords {
	p := &passwords{known: map[[sha256.Size]byte]struct{}{}}
	_, _ = rand.Read(p.key[:]) // never fails
	return p
}

// check tells whether it is the user's password; busy, that too many others are
// being compared.
func (p *passwords) check(users map[string]string, user, password string) (ok, busy bool) {
	hash, there := users[user]
	if !there {
		for _, hash = range users { // anybody's, so that it takes as long
			break
		}
	}
	sum := p.sum(user, hash, password)
	if p.remembers(sum) {
		return true, false
	}
	if p.waiting.Add(1) > maxWaiting {
		p.waiting.Add(-1)
		return false, true
	}
	p.compare.Lock()
	err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(password))
	p.compare.Unlock()
	p.waiting.Add(-1)
	if err != nil || !there {
		return false, false
	}
	p.remember(sum)
	return true, false
}

func (p *passwords) remembers(sum [sha256.Size]byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.known[sum]
	return ok
}

func (p *passwords) remember(sum [sha256.Size]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.known) >= maxKnown {
		clear(p.known)
	}
	p.known[sum] = struct{}{}
}

// sum stands for a password that was right for a hash; it is of no use outside
// of this process.
func (p *passwords) sum(parts ...string) (out [sha256.Size]byte) {
	h := hmac.New(sha256.New, p.key[:])
	for _, part := range parts {
		length := sha256.Sum256([]byte(part)) // fixed length: no part runs into the next
		h.Write(length[:])
	}
	h.Sum(out[:0])
	return out
}
