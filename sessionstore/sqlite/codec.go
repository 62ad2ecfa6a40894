package sqlite

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

// The data of a record: one byte for its form, the length of its head, then
// head and body, deflated together where that is shorter. The head holds what
// an entry needs, line and metadata; the body is the record as JSON. What both
// hold, such as the stack, takes room once.
const (
	formPlain   = 0
	formDeflate = 1

	minDeflate = 200 // bytes; shorter ones gain nothing
)

var errData = errors.New("the data of a record is damaged")

// codec keeps the buffers between uses.
type codec struct{ writers, readers sync.Pool }

type encoder struct {
	plain, out bytes.Buffer
	json       *json.Encoder
	flate      *flate.Writer
}

// encode returns the data of r, and the bytes of line and metadata.
func (c *codec) encode(r *record.Record) (data []byte, size int, err error) {
	e, _ := c.writers.Get().(*encoder)
	if e == nil {
		e = &encoder{}
		e.json = json.NewEncoder(&e.plain)
		e.json.SetEscapeHTML(false)
		if e.flate, err = flate.NewWriter(&e.out, flate.BestSpeed); err != nil {
			return nil, 0, err
		}
	}
	defer c.writers.Put(e)
	e.plain.Reset()
	e.out.Reset()
	size = e.head(r)
	head := e.plain.Len()
	if err := e.json.Encode(r); err != nil {
		return nil, 0, fmt.Errorf("record %s: %w", r.ID, err)
	}
	plain := e.plain.Bytes()
	if len(plain) >= minDeflate {
		e.out.Write(binary.AppendUvarint([]byte{formDeflate}, uint64(head)))
		e.flate.Reset(&e.out)
		if _, err := e.flate.Write(plain); err != nil {
			return nil, 0, err
		}
		if err := e.flate.Close(); err != nil {
			return nil, 0, err
		}
		if e.out.Len() < len(plain) {
			return bytes.Clone(e.out.Bytes()), size, nil
		}
	}
	data = binary.AppendUvarint([]byte{formPlain}, uint64(head))
	return append(data, plain...), size, nil
}

func (e *encoder) head(r *record.Record) (size int) {
	var b [binary.MaxVarintLen64]byte
	number := func(n int) { e.plain.Write(binary.AppendUvarint(b[:0], uint64(n))) }
	put := func(s string) {
		number(len(s))
		e.plain.WriteString(s)
		size += len(s)
	}
	put(r.Line())
	pairs := r.Metadata()
	number(len(pairs))
	for _, p := range pairs {
		put(p.Name)
		put(p.Value)
	}
	return size
}

type decoder struct {
	src   bytes.Reader
	flate io.ReadCloser
	buf   []byte
}

// open returns the plain head, and a reader of the body.
func (d *decoder) open(data []byte) (head []byte, body io.Reader, err error) {
	if len(data) == 0 || data[0] > formDeflate {
		return nil, nil, errData
	}
	length, n := binary.Uvarint(data[1:])
	if n <= 0 || length > 2*record.MaxRecord {
		return nil, nil, errData
	}
	d.src.Reset(data[1+n:])
	body = &d.src
	if data[0] == formDeflate {
		if d.flate == nil {
			d.flate = flate.NewReader(&d.src)
		} else if err := d.flate.(flate.Resetter).Reset(&d.src, nil); err != nil {
			return nil, nil, err
		}
		body = d.flate
	}
	if uint64(cap(d.buf)) < length {
		d.buf = make([]byte, length)
	}
	head = d.buf[:length]
	if _, err := io.ReadFull(body, head); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errData, err)
	}
	return head, body, nil
}

func (c *codec) decoder() *decoder {
	if d, ok := c.readers.Get().(*decoder); ok {
		return d
	}
	return &decoder{}
}

// entry fills in line and metadata.
func (c *codec) entry(data []byte, e *sessionstore.Entry) error {
	d := c.decoder()
	defer c.readers.Put(d)
	head, _, err := d.open(data)
	if err != nil {
		return err
	}
	all := string(head) // once; what follows are parts of it
	next := func() (s string) {
		n, used := binary.Uvarint(head)
		if used <= 0 || n > uint64(len(head)-used) {
			err = errData
			return ""
		}
		from := len(all) - len(head) + used
		head = head[used+int(n):]
		return all[from : from+int(n)]
	}
	e.Line = next()
	pairs, used := binary.Uvarint(head)
	if used <= 0 || pairs > uint64(len(head)) {
		return errData
	}
	head = head[used:]
	e.Metadata = make([]record.Pair, 0, pairs)
	for range pairs {
		name := next()
		e.Metadata = append(e.Metadata, record.Pair{Name: name, Value: next()})
	}
	return err
}

// record returns the whole record.
func (c *codec) record(data []byte) (*record.Record, error) {
	d := c.decoder()
	defer c.readers.Put(d)
	_, body, err := d.open(data)
	if err != nil {
		return nil, err
	}
	r := &record.Record{}
	if err := json.NewDecoder(body).Decode(r); err != nil {
		return nil, fmt.Errorf("%w: %w", errData, err)
	}
	return r, nil
}

// parseID returns the bytes of an id.
func parseID(id string) (b [16]byte, err error) {
	if !record.ValidID(id) {
		return b, fmt.Errorf("id %.40q is no UUIDv7 in lower case", id)
	}
	plain := id[:8] + id[9:13] + id[14:18] + id[19:23] + id[24:]
	_, err = hex.Decode(b[:], []byte(plain))
	return b, err
}

// formatID is the inverse of parseID.
func formatID(b []byte) string {
	if len(b) != 16 {
		return ""
	}
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}
