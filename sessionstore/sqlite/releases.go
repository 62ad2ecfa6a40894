package sqlite

import (
	"database/sql/driver"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

type appKey struct{ bucket, namespace, app string }

// app is what an app was seen to run.
type app struct{ releases []sessionstore.Release }

const (
	selectReleases = "SELECT version, revision, first FROM releases WHERE bucket = ? AND namespace = ? AND app = ?"
	upsertRelease  = "INSERT INTO releases (bucket, namespace, app, version, revision, first) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET first = min(first, excluded.first)"
)

func (t *tx) app(k appKey) (*app, error) {
	if a, ok := t.s.state.apps[k]; ok {
		return a, nil
	}
	a := &app{}
	err := t.c.query(selectReleases, []any{k.bucket, k.namespace, k.app}, func(v []driver.Value) error {
		a.releases = append(a.releases, sessionstore.Release{Version: text(v[0]), Revision: text(v[1]), First: fromNano(integer(v[2]))})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(t.s.state.apps) >= maxGroups {
		clear(t.s.state.apps)
	}
	t.s.state.apps[k] = a
	return a, nil
}

// release returns what a record's app ran, and notes when that was first seen.
func (t *tx) release(bucket string, r *record.Record) (sessionstore.Release, error) {
	release := sessionstore.Release{Version: r.Version, Revision: r.Revision, First: r.Time()}
	if release.IsZero() {
		return sessionstore.Release{}, nil
	}
	k := appKey{bucket, r.Namespace, r.App}
	a, err := t.app(k)
	if err != nil {
		return release, err
	}
	known := a.find(r.Version, r.Revision)
	switch {
	case known != nil && !release.First.Before(known.First):
		return *known, nil
	case known != nil:
		known.First = release.First
	case len(a.releases) >= maxReleases:
		release.First = time.Time{} // too many to remember: not newer than any
		return release, nil
	default:
		a.releases = append(a.releases, release)
	}
	_, err = t.c.exec(upsertRelease, k.bucket, k.namespace, k.app, r.Version, r.Revision, r.At)
	return release, err
}

func (a *app) find(version, revision string) *sessionstore.Release {
	for i := range a.releases {
		if r := &a.releases[i]; r.Version == version && r.Revision == revision {
			return r
		}
	}
	return nil
}

// named returns the release that a group was resolved in, as it is known now.
// A person names a version, of which there may be several revisions.
func (a *app) named(s sessionstore.Status) sessionstore.Release {
	if !s.InVersion {
		if known := a.find(s.Resolved.Version, s.Resolved.Revision); known != nil {
			return *known
		}
		return s.Resolved
	}
	named := s.Resolved
	for _, r := range a.releases {
		if (r.Version == named.Version || r.Revision == named.Version) && (named.First.IsZero() || named.First.Before(r.First)) {
			named.First = r.First
		}
	}
	return named
}

// fromNano and toNano keep the zero time as 0.
func fromNano(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}

func toNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}
