package sqlite

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql/driver"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/pm25/pm25/sessionstore"
)

// secretPrefix marks secrets, so that scanners of source code find them.
const secretPrefix = "pm25_"

// usedEach is how exact the time of a token's last use is.
const usedEach = 5 * time.Minute

// token is a row of tokens.
type token struct {
	sessionstore.Token
	bucket string
	hash   [sha256.Size]byte
	used   time.Time // newer than LastUsed, where that is not written yet
}

// tokenTable holds all tokens: authenticating reads no file. It is looked up
// by the hash of the secret, so that its timing tells nothing of secrets.
type tokenTable struct {
	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*token
	stale  []*token // used since it was last written
}

const (
	selectTokens  = "SELECT id, bucket, hash, created, used, expires, revoked FROM tokens ORDER BY created, id"
	insertToken   = "INSERT INTO tokens (id, bucket, hash, created, used, expires, revoked) VALUES (?, ?, ?, ?, 0, 0, 0)"
	updateUsed    = "UPDATE tokens SET used = ? WHERE id = ?"
	expireTokens  = "UPDATE tokens SET expires = ? WHERE bucket = ? AND id <> ? AND revoked = 0 AND (expires = 0 OR expires > ?1)"
	revokeToken   = "UPDATE tokens SET revoked = ? WHERE bucket = ? AND id = ? AND revoked = 0"
	selectBucket  = "SELECT EXISTS (SELECT 1 FROM buckets WHERE name = ?)"
	insertBucket  = "INSERT INTO buckets (name, created) VALUES (?, ?)"
	selectBuckets = "SELECT name, created FROM buckets ORDER BY name"
	selectToken   = "SELECT EXISTS (SELECT 1 FROM tokens WHERE bucket = ? AND id = ?)"
)

func readTokens(c *conn) (all []*token, err error) {
	err = c.query(selectTokens, nil, func(v []driver.Value) error {
		k := &token{bucket: text(v[1])}
		copy(k.hash[:], blob(v[2]))
		k.Token = sessionstore.Token{ID: text(v[0]), Created: fromSeconds(v[3]), LastUsed: fromSeconds(v[4]), Expires: fromSeconds(v[5]), Revoked: fromSeconds(v[6])}
		k.used = k.LastUsed
		all = append(all, k)
		return nil
	})
	return all, err
}

func fromSeconds(v driver.Value) time.Time {
	if n := integer(v); n != 0 {
		return time.Unix(n, 0).UTC()
	}
	return time.Time{}
}

func (t *tokenTable) replace(all []*token) {
	byHash := make(map[[sha256.Size]byte]*token, len(all))
	for _, k := range all {
		byHash[k.hash] = k
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byHash, t.stale = byHash, nil
}

// flush writes when tokens were used, in a transaction that there is anyway.
func (t *tokenTable) flush(x *tx) error {
	used := map[string]int64{}
	t.mu.Lock()
	for _, k := range t.stale {
		used[k.ID] = k.used.Unix()
	}
	t.stale = nil
	t.mu.Unlock()
	for id, at := range used {
		if _, err := x.c.exec(updateUsed, at, id); err != nil {
			return err
		}
	}
	return nil
}

// Authenticate returns the bucket that secret may push to, or ErrToken.
func (s *Store) Authenticate(ctx context.Context, secret string) (bucket string, err error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	hash, now := sha256.Sum256([]byte(secret)), s.o.Now()
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	k, ok := s.tokens.byHash[hash]
	if !ok || !k.Revoked.IsZero() || !k.Expires.IsZero() && !now.Before(k.Expires) {
		return "", sessionstore.ErrToken
	}
	if now.Sub(k.used) >= usedEach {
		k.used = now.UTC().Truncate(time.Second)
		s.tokens.stale = append(s.tokens.stale, k)
	}
	return k.bucket, nil
}

// newToken inserts a token of a bucket, and reads all tokens anew on commit.
func (t *tx) newToken(bucket string) (tok sessionstore.Token, secret string, err error) {
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails
	secret = secretPrefix + base64.RawURLEncoding.EncodeToString(random[:])
	var id [6]byte
	_, _ = rand.Read(id[:])
	hash := sha256.Sum256([]byte(secret))
	tok = sessionstore.Token{ID: hex.EncodeToString(id[:]), Created: t.now.UTC().Truncate(time.Second)}
	if _, err = t.c.exec(insertToken, tok.ID, bucket, hash[:], tok.Created.Unix()); err != nil {
		return tok, "", err
	}
	return tok, secret, t.tokensChanged()
}

func (t *tx) tokensChanged() error {
	if err := t.s.tokens.flush(t); err != nil {
		return err
	}
	all, err := readTokens(t.c)
	t.after = func() { t.s.tokens.replace(all) }
	return err
}

// CreateBucket makes a bucket with its first token, whose secret it tells this
// once. ErrExists if there is one of that name.
func (s *Store) CreateBucket(ctx context.Context, name string) (tok sessionstore.Token, secret string, err error) {
	if !sessionstore.ValidBucket(name) {
		return tok, "", fmt.Errorf("bucket name %.80q: it has to be %s", name, sessionstore.BucketRule)
	}
	err = s.do(ctx, func(t *tx) error {
		if known, err := t.c.number(selectBucket, name); err != nil {
			return err
		} else if known != 0 {
			return sessionstore.ErrExists
		}
		if _, err := t.c.exec(insertBucket, name, t.now.Unix()); err != nil {
			return err
		}
		tok, secret, err = t.newToken(name)
		return err
	})
	if err != nil {
		return sessionstore.Token{}, "", fmt.Errorf("create bucket %s: %w", name, err)
	}
	return tok, secret, nil
}

// Buckets returns all buckets by name, each with its tokens, oldest first.
func (s *Store) Buckets(ctx context.Context) (buckets []sessionstore.Bucket, err error) {
	var tokens []*token
	err = s.snapshot(ctx, func(c *conn) error {
		err := c.query(selectBuckets, nil, func(v []driver.Value) error {
			buckets = append(buckets, sessionstore.Bucket{Name: text(v[0]), Created: fromSeconds(v[1])})
			return nil
		})
		if err == nil {
			tokens, err = readTokens(c)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read buckets: %w", err)
	}
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	for _, k := range tokens {
		i := slices.IndexFunc(buckets, func(b sessionstore.Bucket) bool { return b.Name == k.bucket })
		if i < 0 {
			continue
		}
		if known := s.tokens.byHash[k.hash]; known != nil && known.used.After(k.LastUsed) {
			k.LastUsed = known.used
		}
		buckets[i].Tokens = append(buckets[i].Tokens, k.Token)
	}
	return buckets, nil
}

// RotateToken makes another token of a bucket; those before it end after
// keepOld, if they do not end earlier.
func (s *Store) RotateToken(ctx context.Context, bucket string, keepOld time.Duration) (tok sessionstore.Token, secret string, err error) {
	err = s.do(ctx, func(t *tx) error {
		if known, err := t.c.number(selectBucket, bucket); err != nil {
			return err
		} else if known == 0 {
			return sessionstore.ErrNotFound
		}
		tok, secret, err = t.newToken(bucket)
		if err != nil {
			return err
		}
		if _, err := t.c.exec(expireTokens, t.now.Add(max(keepOld, 0)).Unix(), bucket, tok.ID); err != nil {
			return err
		}
		return t.tokensChanged()
	})
	if err != nil {
		return sessionstore.Token{}, "", fmt.Errorf("rotate the token of bucket %.80q: %w", bucket, err)
	}
	return tok, secret, nil
}

// RevokeToken ends a token at once.
func (s *Store) RevokeToken(ctx context.Context, bucket, tokenID string) error {
	err := s.do(ctx, func(t *tx) error {
		if known, err := t.c.number(selectToken, bucket, tokenID); err != nil {
			return err
		} else if known == 0 {
			return sessionstore.ErrNotFound
		}
		if _, err := t.c.exec(revokeToken, t.now.Unix(), bucket, tokenID); err != nil {
			return err
		}
		return t.tokensChanged()
	})
	if err != nil {
		return fmt.Errorf("revoke token %.40q of bucket %.80q: %w", tokenID, bucket, err)
	}
	return nil
}
