package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	"modernc.org/sqlite"
)

// conn is one connection with its prepared statements. It talks to the driver
// itself: database/sql's conversions cost more than a row of an index. Only one
// goroutine may use it at a time.
type conn struct {
	c     driver.Conn
	stmts map[string]driver.Stmt
	args  []driver.NamedValue
}

// dial opens path, which has to be absolute. Settings are parameters of the
// driver.
func dial(path string, settings ...string) (*conn, error) {
	dsn := (&url.URL{Scheme: "file", Path: path}).String() + "?_busy_timeout=10000&_dqs=0&_defensive=1"
	for _, s := range settings {
		dsn += "&" + s
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	c, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return &conn{c: c, stmts: map[string]driver.Stmt{}}, nil
}

func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// stmt returns the prepared statement of query. Queries are constants, so that
// there are few. They say LIMIT ? + 0: SQLite prepares a statement anew whenever
// a parameter changes that is a limit by itself.
func (c *conn) stmt(query string) (driver.Stmt, error) {
	if s, ok := c.stmts[query]; ok {
		return s, nil
	}
	s, err := c.c.(driver.ConnPrepareContext).PrepareContext(context.Background(), query)
	if err != nil {
		return nil, fmt.Errorf("%w in %q", err, query)
	}
	c.stmts[query] = s
	return s, nil
}

func (c *conn) named(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, a := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: a})
	}
	return c.args
}

// exec runs one statement and returns how many rows it changed. Arguments are
// int64, string, []byte or nil.
func (c *conn) exec(query string, args ...any) (int64, error) {
	s, err := c.stmt(query)
	if err != nil {
		return 0, err
	}
	res, err := s.(driver.StmtExecContext).ExecContext(context.Background(), c.named(args))
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// query calls row for each row. The values are row's for as long as it runs,
// what they hold for good. row must not run the same query on this connection.
func (c *conn) query(query string, args []any, row func(v []driver.Value) error) error {
	s, err := c.stmt(query)
	if err != nil {
		return err
	}
	rows, err := s.(driver.StmtQueryContext).QueryContext(context.Background(), c.named(args))
	if err != nil {
		return err
	}
	v := make([]driver.Value, len(rows.Columns()))
	for {
		if err = rows.Next(v); err != nil {
			break
		}
		if err = row(v); err != nil {
			break
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, rows.Close())
}

// number returns the first column of the first row, 0 if there is none.
func (c *conn) number(query string, args ...any) (n int64, err error) {
	err = c.query(query, args, func(v []driver.Value) error {
		n, _ = v[0].(int64)
		return io.EOF
	})
	return n, err
}

// script runs statements that are used once.
func (c *conn) script(query string) error {
	_, err := c.c.(driver.ExecerContext).ExecContext(context.Background(), query, nil)
	return err
}

// transaction runs do between BEGIN and COMMIT, or ROLLBACK if it fails.
func (c *conn) transaction(begin string, do func() error) error {
	if _, err := c.exec(begin); err != nil {
		return err
	}
	err := do()
	if err == nil {
		if _, err = c.exec("COMMIT"); err == nil {
			return nil
		}
	}
	_, _ = c.exec("ROLLBACK") // SQLite may have done so itself
	return err
}

// Columns as what they are; NULL is the zero value.

func integer(v driver.Value) int64 { n, _ := v.(int64); return n }

func text(v driver.Value) string { s, _ := v.(string); return s }

func blob(v driver.Value) []byte { b, _ := v.([]byte); return b }

func flag(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
