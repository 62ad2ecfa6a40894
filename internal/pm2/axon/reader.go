// Package axon reads the frames of PM2's two sockets (AMP messages, as the
// axon protocol of PM2 uses them).
//
// A frame is one byte (version<<4 | argc) followed by argc arguments, each a
// big-endian uint32 length and that many bytes. There is no checksum and no
// handshake.
//
// Reader streams: it holds one fixed buffer, never a whole frame, so a
// message of any size costs the same memory. It guarantees that it never
// returns bytes of one argument as another's, and that a stream it can not
// follow ends in an error, after which it must be thrown away. It does not
// interpret arguments.
//
// The package cannot write: what is sent to PM2 are constants of package pm2.
package axon

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Version is the only AMP version that PM2 speaks.
const Version = 1

// bufferSize is what one connection costs in memory while idle.
const bufferSize = 32 << 10

var (
	// ErrVersion means that the stream is not AMP, or no longer in step.
	ErrVersion = errors.New("not an AMP frame")
	// ErrTooLarge means that an argument announced more bytes than allowed.
	ErrTooLarge = errors.New("argument too large")
)

// Reader reads frames from a stream. It is not safe for concurrent use.
type Reader struct {
	br     *bufio.Reader
	max    uint32
	args   int   // arguments of this frame not yet begun
	rest   int64 // bytes of the current argument not yet read
	failed error
}

// NewReader returns a Reader that refuses arguments longer than maxArg bytes.
func NewReader(r io.Reader, maxArg uint32) *Reader {
	return &Reader{br: bufio.NewReaderSize(r, bufferSize), max: maxArg}
}

// Next skips what is left of the current frame and begins the next one. It
// returns the number of arguments. io.EOF means a clean end between frames.
func (r *Reader) Next() (argc int, err error) {
	if r.failed != nil {
		return 0, r.failed
	}
	for r.args > 0 || r.rest > 0 {
		if err := r.skip(); err != nil {
			return 0, err
		}
		if r.args > 0 {
			if _, err := r.Arg(); err != nil {
				return 0, err
			}
		}
	}
	meta, err := r.br.ReadByte()
	if err != nil {
		return 0, r.fail(err)
	}
	if meta>>4 != Version {
		return 0, r.fail(fmt.Errorf("%w: first byte 0x%02x", ErrVersion, meta))
	}
	r.args = int(meta & 0x0f)
	return r.args, nil
}

// Arg skips what is left of the current argument and begins the next one of
// this frame. It returns its length in bytes; Read gives its content.
func (r *Reader) Arg() (length int, err error) {
	if r.failed != nil {
		return 0, r.failed
	}
	if err := r.skip(); err != nil {
		return 0, err
	}
	if r.args == 0 {
		return 0, errors.New("no argument left in this frame")
	}
	var head [4]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil {
		return 0, r.fail(unexpected(err))
	}
	n := binary.BigEndian.Uint32(head[:])
	if n > r.max {
		return 0, r.fail(fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, n, r.max))
	}
	r.args--
	r.rest = int64(n)
	return int(n), nil
}

// Read reads from the current argument. io.EOF marks its end, not the
// stream's.
func (r *Reader) Read(p []byte) (int, error) {
	if r.rest == 0 {
		return 0, io.EOF
	}
	if r.failed != nil {
		return 0, r.failed
	}
	if int64(len(p)) > r.rest {
		p = p[:r.rest]
	}
	n, err := r.br.Read(p)
	r.rest -= int64(n)
	if err != nil {
		return n, r.fail(unexpected(err))
	}
	return n, nil
}

// Text reads at most len(dst) bytes of the current argument into dst and
// skips the rest of it.
func (r *Reader) Text(dst []byte) ([]byte, error) {
	n, err := io.ReadFull(r, dst)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if r.failed != nil {
		return nil, r.failed
	}
	return dst[:n], r.skip()
}

// Err is why the stream can not be followed any more, nil while it can.
func (r *Reader) Err() error { return r.failed }

func (r *Reader) skip() error {
	for r.rest > 0 {
		// bufio's Discard takes an int; frames are bounded by uint32.
		n, err := r.br.Discard(int(min(r.rest, 1<<30)))
		r.rest -= int64(n)
		if err != nil {
			return r.fail(unexpected(err))
		}
	}
	return nil
}

func (r *Reader) fail(err error) error {
	r.failed = err
	return err
}

// unexpected turns an end of stream inside a frame into an error that cannot
// be mistaken for a clean end.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
