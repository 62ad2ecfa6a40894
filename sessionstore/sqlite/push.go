package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/pm25/pm25/internal/record"
)

// weight is what a record that waits takes in memory beside its data, about.
const weight = 4 << 10

// row is a record on its way into the file.
type row struct {
	r     *record.Record
	id    [16]byte
	key   string // of its stream
	pairs [7]record.Pair
	data  []byte
	size  int
	meta  meta
}

func (s *Store) newRow(bucket string, r *record.Record) (row row, err error) {
	row.r = r
	if row.id, err = parseID(r.ID); err != nil {
		return row, err
	}
	row.pairs = r.StreamLabels(bucket)
	row.key = streamKey(&row.pairs)
	row.data, row.size, err = s.codec.encode(r)
	pairs := r.Metadata()
	for _, p := range pairs {
		row.size += len(p.Name) + len(p.Value)
	}
	row.meta = split(pairs)
	return row, err
}

// Push stores records, which have passed Check, all or none, and notes that
// their agent is there. When it returns without an error, they are on the disk;
// those that were there already are duplicates, and count nowhere again. It
// fails with ErrOverloaded or ErrFull where it would help to come again later;
// where ctx ends first, they may be stored all the same, and are still in use.
// Callers that come at the same time share the cost of the disk.
func (s *Store) Push(ctx context.Context, bucket string, from record.Agent, records []*record.Record) (stored, duplicates int, err error) {
	if bucket == "" {
		return 0, 0, errors.New("push: the bucket is missing")
	}
	rows := make([]row, len(records))
	var bytes int64
	for i, r := range records {
		if rows[i], err = s.newRow(bucket, r); err != nil {
			return 0, 0, fmt.Errorf("push: %w", err)
		}
		bytes += int64(len(rows[i].data)) + weight
	}
	j := &job{shared: true, records: len(rows), done: make(chan error, 1)}
	counts := make(chan [2]int, 1)
	j.do = func(t *tx) error {
		var n [2]int
		for i := range rows {
			added, err := t.add(bucket, &rows[i])
			if err != nil {
				return err
			}
			if added {
				n[0]++
			} else {
				n[1]++
			}
		}
		if err := t.host(bucket, from); err != nil {
			return err
		}
		select { // of an attempt that was rolled back
		case <-counts:
		default:
		}
		counts <- n
		return nil
	}
	if err := s.enqueue(ctx, j, bytes); err != nil {
		return 0, 0, fmt.Errorf("push %d records of bucket %s: %w", len(rows), bucket, err)
	}
	n := <-counts
	return n[0], n[1], nil
}
