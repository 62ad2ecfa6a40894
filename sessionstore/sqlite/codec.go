package sqlite

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/pm25/pm25/internal/record"
)

// The data of a record: one byte for its form, the length of its line, then the
// line and the record as JSON, compressed together where that is shorter. What
// both hold, such as the stack, takes room once. Metadata is apart from it, so
// that it can be read alone: metadata.go.
const (
	formPlain = 0
	formZstd  = 1

	minCompress = 200       // bytes; shorter ones gain nothing
	maxPlain    = 4 << 20   // bytes; no record gets there
	window      = 128 << 10 // bytes, by which a compressor looks back
)

var errData = errors.New("the data of a record is damaged")

// codec turns records into data and back. It keeps buffers between uses.
type codec struct {
	zip      *zstd.Encoder
	unzip    *zstd.Decoder
	encoders sync.Pool
	decoders sync.Pool
}

func newCodec() (*codec, error) {
	// Fast before small: it costs as much as the insert of the row as it is.
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithWindowSize(window), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	unzip, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(maxPlain), zstd.WithDecoderLowmem(true))
	return &codec{zip: zip, unzip: unzip}, err
}

func (c *codec) close() {
	_ = c.zip.Close() // there is nothing to flush
	c.unzip.Close()
}

type encoder struct {
	plain bytes.Buffer
	zip   []byte
	json  *json.Encoder
}

// encode returns the data of r, and the bytes of its line.
func (c *codec) encode(r *record.Record) (data []byte, size int, err error) {
	e, _ := c.encoders.Get().(*encoder)
	if e == nil {
		e = &encoder{}
		e.json = json.NewEncoder(&e.plain)
		e.json.SetEscapeHTML(false)
	}
	defer c.encoders.Put(e)
	e.plain.Reset()
	e.plain.WriteString(r.Line())
	size = e.plain.Len()
	if err := e.json.Encode(r); err != nil {
		return nil, 0, fmt.Errorf("record %s: %w", r.ID, err)
	}
	plain := e.plain.Bytes()
	if len(plain) >= minCompress {
		e.zip = binary.AppendUvarint(append(e.zip[:0], formZstd), uint64(size))
		if e.zip = c.zip.EncodeAll(plain, e.zip); len(e.zip) < len(plain) {
			return bytes.Clone(e.zip), size, nil
		}
	}
	return append(binary.AppendUvarint([]byte{formPlain}, uint64(size)), plain...), size, nil
}

// open returns line and body of data. They are in buf, or in data.
func (c *codec) open(data []byte, buf *[]byte) (line, body []byte, err error) {
	if len(data) == 0 || data[0] > formZstd {
		return nil, nil, errData
	}
	length, n := binary.Uvarint(data[1:])
	if n <= 0 {
		return nil, nil, errData
	}
	plain := data[1+n:]
	if data[0] == formZstd {
		if plain, err = c.unzip.DecodeAll(plain, (*buf)[:0]); err != nil {
			return nil, nil, fmt.Errorf("%w: %w", errData, err)
		}
		*buf = plain
	}
	if length > uint64(len(plain)) {
		return nil, nil, errData
	}
	return plain[:length], plain[length:], nil
}

func (c *codec) buffer() *[]byte {
	if b, ok := c.decoders.Get().(*[]byte); ok {
		return b
	}
	return new([]byte)
}

// line returns the line of a record.
func (c *codec) line(data []byte) (string, error) {
	buf := c.buffer()
	defer c.decoders.Put(buf)
	line, _, err := c.open(data, buf)
	return string(line), err
}

// record returns the whole record.
func (c *codec) record(data []byte) (*record.Record, error) {
	buf := c.buffer()
	defer c.decoders.Put(buf)
	_, body, err := c.open(data, buf)
	if err != nil {
		return nil, err
	}
	r := &record.Record{}
	if err := json.Unmarshal(body, r); err != nil {
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
	var out [36]byte
	hex.Encode(out[:8], b[:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:], b[10:])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out[:])
}
