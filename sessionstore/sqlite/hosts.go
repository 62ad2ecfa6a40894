package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/pm25/pm25/sessionstore"
)

// Hosts returns all hosts, by bucket and name.
func (s *Store) Hosts(ctx context.Context) (hosts []sessionstore.Host, err error) {
	err = s.read(ctx, func(c *conn) error {
		return c.query("SELECT bucket, name, agent_version, advertise, scheme, first, last FROM hosts ORDER BY bucket, name", nil, func(v []driver.Value) error {
			hosts = append(hosts, sessionstore.Host{
				Bucket: text(v[0]), Name: text(v[1]), AgentVersion: text(v[2]), Advertise: text(v[3]), Scheme: text(v[4]),
				FirstSeen: fromNano(integer(v[5])), LastSeen: fromNano(integer(v[6])),
			})
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read hosts: %w", err)
	}
	return hosts, nil
}
