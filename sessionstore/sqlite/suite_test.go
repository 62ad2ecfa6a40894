package sqlite

import (
	"path/filepath"
	"testing"

	"github.com/pm25/pm25/sessionstore/sessionstoretest"
)

func TestConformance(t *testing.T) {
	sessionstoretest.Run(t, func(t *testing.T, o sessionstoretest.Options) (sessionstoretest.Store, func() sessionstoretest.Store) {
		path := filepath.Join(t.TempDir(), "folder", "pm25.db")
		var now *Store
		again := func() sessionstoretest.Store {
			if now != nil {
				ok(t, now.Close())
			}
			now = openTest(t, Options{Path: path, Retention: o.Retention, Now: o.Now})
			return now
		}
		return again(), again
	})
}

func openTest(t *testing.T, o Options) *Store {
	t.Helper()
	if o.Path == "" {
		o.Path = filepath.Join(t.TempDir(), "pm25.db")
	}
	s, err := Open(o)
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
