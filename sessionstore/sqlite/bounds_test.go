package sqlite

import (
	"fmt"
	"testing"
	"time"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// TestSizeHoldsWithManyGroups: bugs that are told apart by what they say are as
// many as there are exceptions, and each keeps samples. The bound holds all the
// same, and the groups that were seen last are there.
func TestSizeHoldsWithManyGroups(t *testing.T) {
	const bound = 3 << 20
	now := time.Now()
	s := openTest(t, Options{MaxBytes: bound, Now: func() time.Time { return now }})
	for i := range 60 {
		batch := make([]*record.Record, 100)
		for j := range batch {
			batch[j] = testRecord(now.Add(time.Duration(i%10*100+j)*time.Second), i*100+j)
			batch[j].Message = fmt.Sprint(batch[j].ID, record.NewID(now), record.NewID(now), record.NewID(now))
		}
		push(t, s, batch...)
		if i%10 == 9 {
			now = now.Add(24 * time.Hour) // metadata is kept by the day
			ok(t, s.Sweep(t.Context()))
		}
	}
	var used int64
	ok(t, s.read(t.Context(), func(c *conn) (err error) { used, err = usedBytes(c); return err }))
	if used > bound {
		t.Errorf("%d bytes of at most %d", used, bound)
	}
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{Limit: 100})
	ok(t, err)
	if len(groups) < 100 || groups[0].Title != "Error: bug 5999" {
		t.Errorf("%d groups, the last is %+v", len(groups), groups[0])
	}
	report, err := s.Check(t.Context(), false)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

// TestVersionsAreBounded: a group is counted by as many versions as its app may
// have, and by one name for the others.
func TestVersionsAreBounded(t *testing.T) {
	s := openTest(t, Options{})
	now := time.Now()
	var batch []*record.Record
	for i := range 2 * maxReleases {
		r := testRecord(now, 1)
		r.Version = fmt.Sprintf("1.0.%d", i)
		batch = append(batch, r)
	}
	push(t, s, batch...)
	groups, err := s.Groups(t.Context(), sessionstore.GroupQuery{})
	ok(t, err)
	hours, err := s.GroupHours(t.Context(), groups[0].ID, time.Time{})
	ok(t, err)
	var sum, others uint64
	for _, h := range hours {
		sum += h.Count
		if h.Version == other {
			others += h.Count
		}
	}
	if len(hours) > maxReleases+2 || sum != 2*maxReleases || others != maxReleases {
		t.Errorf("%d rows for %d occurrences, %d of them of other versions", len(hours), sum, others)
	}
}

// TestHostsAreBounded, and those that are known stay so.
func TestHostsAreBounded(t *testing.T) {
	s := openTest(t, Options{})
	ok(t, s.do(t.Context(), func(x *tx) error {
		_, err := x.c.exec("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM n WHERE i+2 < ?) "+
			"INSERT INTO hosts (bucket, name, agent_version, advertise, scheme, first, last) SELECT 'main', 'host-' || i, '1.0.0', '', '', 1, 1 FROM n", int64(maxAgents))
		for i := range 5 {
			if err == nil {
				err = x.host("main", record.Agent{Host: fmt.Sprint("new-", i), Version: "1.0.0"})
			}
		}
		if err != nil {
			return err
		}
		return x.host("main", record.Agent{Host: "host-7", Version: "2.0.0"})
	}))
	_, _, err := s.Push(t.Context(), "other", record.Agent{Host: "web-1"}, nil)
	ok(t, err)
	hosts, err := s.Hosts(t.Context())
	ok(t, err)
	updated, elsewhere := false, false
	for _, h := range hosts {
		updated = updated || h.Name == "host-7" && h.AgentVersion == "2.0.0"
		elsewhere = elsewhere || h.Bucket == "other"
	}
	if len(hosts) != maxAgents+1 || !updated || !elsewhere {
		t.Errorf("%d hosts; one that is known was updated: %v; another bucket has its own: %v", len(hosts), updated, elsewhere)
	}
}
