package daemonlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"sort"
	"strings"
)

// FileName is the log's name in PM2's home.
const FileName = "pm2.log"

const (
	readSize = 16 << 10
	// maxLine bounds a line; what is longer is passed over. PM2's own lines
	// are short, but workers in cluster mode may write here too.
	maxLine = 64 << 10
	// checkSize is how many bytes before a position are remembered to know
	// the place again.
	checkSize = 64
	// maxRotated bounds the files searched for a position.
	maxRotated = 64
)

// Dir gives access to the folder of the log. Opening follows the rules for
// files that others can name: regular, owned by the daemon's user.
type Dir interface {
	Open(name string) (*os.File, error)
	Stat(name string) (fs.FileInfo, error)
	Names() ([]string, error)
}

// Position is a place in the log that can be found again after the file was
// renamed, copied away or truncated.
type Position struct {
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	// CheckLen bytes before Offset have the checksum Check (CRC-32).
	CheckLen int    `json:"check_len"`
	Check    uint32 `json:"check"`
}

// Tail reads the log's lines in order, each once. It is not safe for
// concurrent use.
type Tail struct {
	dir     Dir
	file    *os.File
	info    fs.FileInfo
	next    []*os.File // files to read after this one
	offset  int64      // of buf[0] in file
	buf     []byte
	tooLong bool // the line under way is longer than maxLine
	idle    bool // the last read found nothing
	check   []byte
}

// NewTail returns a Tail that gives nothing until SeekEnd or Resume.
func NewTail(dir Dir) *Tail { return &Tail{dir: dir} }

// Opened is true once SeekEnd or Resume found a log.
func (t *Tail) Opened() bool { return t.file != nil }

// Close closes the file; the position stays.
func (t *Tail) Close() {
	if t.file != nil {
		_ = t.file.Close()
	}
	for _, f := range t.next {
		_ = f.Close()
	}
	t.file, t.next = nil, nil
}

// SeekEnd begins at the present end of the log.
func (t *Tail) SeekEnd() error {
	f, info, err := t.open(FileName)
	if err != nil {
		return err
	}
	t.begin(f, info, info.Size())
	return nil
}

// Resume begins at pos, in the log or in a rotated copy of it. It is false
// when the place can not be found; the Tail then begins at the present end.
func (t *Tail) Resume(pos Position) (found bool, err error) {
	f, info, err := t.open(FileName)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err == nil && matches(f, info, pos) {
		t.begin(f, info, pos.Offset)
		return true, nil
	}
	rotated := t.rotated()
	for i, r := range rotated {
		if !matches(r.file, r.info, pos) {
			_ = r.file.Close()
			continue
		}
		t.begin(r.file, r.info, pos.Offset)
		for _, later := range rotated[i+1:] {
			t.next = append(t.next, later.file)
		}
		if f != nil {
			t.next = append(t.next, f)
		}
		return true, nil
	}
	if f == nil {
		return false, err
	}
	t.begin(f, info, info.Size())
	return false, nil
}

// Next returns the next complete line without its newline, valid until the
// next call. It returns io.EOF when there is none yet.
func (t *Tail) Next() ([]byte, error) {
	if t.file == nil {
		return nil, io.EOF
	}
	for {
		if line, ok := t.take(); ok {
			return line, nil
		}
		n, err := t.read()
		if err != nil {
			return nil, err
		}
		if n > 0 {
			continue
		}
		if more, err := t.turn(); err != nil || !more {
			if err == nil {
				err = io.EOF
			}
			return nil, err
		}
	}
}

// Position returns the place after the last line that Next gave.
func (t *Tail) Position() Position {
	p := Position{Offset: t.offset, CheckLen: len(t.check), Check: crc32.ChecksumIEEE(t.check)}
	if t.info != nil {
		p.Device, p.Inode = fileID(t.info)
	}
	return p
}

// Mark tells the line that Next gave last from all others: the same when it is
// read again, also from a copy of the file.
func (t *Tail) Mark(line []byte) [10]byte {
	sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(t.offset)), line...))
	return [10]byte(sum[:10])
}

// Waiting is true when there is something that Next has not given, and where.
func (t *Tail) Waiting() (place int64, waiting bool) {
	if t.file == nil {
		return 0, false
	}
	info, err := t.file.Stat()
	if err != nil || info.Size() != t.offset+int64(len(t.buf)) || len(t.next) > 0 || bytes.IndexByte(t.buf, '\n') >= 0 {
		return t.offset, true
	}
	now, err := t.dir.Stat(FileName)
	return t.offset, err == nil && now.Size() > 0 && !os.SameFile(now, t.info)
}

// take cuts one line off the buffer.
func (t *Tail) take() ([]byte, bool) {
	for {
		i := bytes.IndexByte(t.buf, '\n')
		if i < 0 {
			if len(t.buf) > maxLine {
				t.consume(len(t.buf))
				t.tooLong = true
			}
			return nil, false
		}
		line, skip := t.buf[:i], t.tooLong
		t.tooLong = false
		t.consume(i + 1)
		if !skip {
			return line, true
		}
	}
}

// consume moves the position n bytes on and keeps the bytes before it.
func (t *Tail) consume(n int) {
	if n >= checkSize {
		t.check = append(t.check[:0], t.buf[n-checkSize:n]...)
	} else {
		t.check = append(t.check, t.buf[:n]...)
		if over := len(t.check) - checkSize; over > 0 {
			t.check = append(t.check[:0], t.check[over:]...)
		}
	}
	t.offset += int64(n)
	t.buf = t.buf[n:]
}

// read appends to the buffer. A file that was truncated, or replaced in
// place, is read from its beginning.
func (t *Tail) read() (int, error) {
	if t.idle {
		info, err := t.file.Stat()
		if err != nil {
			return 0, fmt.Errorf("reading PM2's log: %w", err)
		}
		end := t.offset + int64(len(t.buf))
		// The old place can still be found in a copy; the beginning of a log that
		// was just emptied looks like that of any other.
		if info.Size() == end || info.Size() == 0 {
			return 0, nil
		}
		if info.Size() < end || !t.inPlace() {
			t.begin(t.file, info, 0)
		}
	}
	chunk := make([]byte, len(t.buf), len(t.buf)+readSize)
	copy(chunk, t.buf)
	n, err := t.file.ReadAt(chunk[len(t.buf):cap(chunk)], t.offset+int64(len(t.buf)))
	t.buf = chunk[:len(t.buf)+n]
	t.idle = n == 0
	if err != nil && !errors.Is(err, io.EOF) {
		return n, fmt.Errorf("reading PM2's log: %w", err)
	}
	return n, nil
}

// inPlace is true while the bytes before the position are still those that
// were read there.
func (t *Tail) inPlace() bool {
	now := make([]byte, len(t.check))
	_, err := t.file.ReadAt(now, t.offset-int64(len(t.check)))
	return err == nil && bytes.Equal(now, t.check)
}

// turn moves to the next file when this one ended for good: a rotated copy
// that was read to its end, or a log that was renamed while a new daemon
// writes to a new one. (The old daemon goes on writing to the renamed file.)
func (t *Tail) turn() (more bool, err error) {
	if len(t.next) > 0 {
		f := t.next[0]
		info, err := f.Stat()
		if err != nil {
			return false, fmt.Errorf("reading PM2's log: %w", err)
		}
		if len(t.next) == 1 && info.Size() == 0 {
			return false, nil // as for a log that was just emptied
		}
		t.next = t.next[1:]
		_ = t.file.Close()
		t.begin(f, info, 0)
		return true, nil
	}
	now, err := t.dir.Stat(FileName)
	if err != nil || os.SameFile(now, t.info) || now.Size() == 0 {
		return false, nil //nolint:nilerr // a log that is gone for the moment has nothing to give
	}
	// What the old daemon wrote last comes before what the new one wrote first.
	if old, err := t.file.Stat(); err == nil && old.Size() > t.offset+int64(len(t.buf)) {
		return true, nil
	}
	f, info, err := t.open(FileName)
	if err != nil {
		return false, nil //nolint:nilerr // likewise
	}
	_ = t.file.Close()
	t.begin(f, info, 0)
	return true, nil
}

func (t *Tail) begin(f *os.File, info fs.FileInfo, offset int64) {
	t.file, t.info, t.offset, t.buf, t.tooLong, t.idle = f, info, offset, nil, false, false
	t.check = make([]byte, min(offset, checkSize))
	if _, err := f.ReadAt(t.check, offset-int64(len(t.check))); err != nil && offset > 0 {
		t.check = t.check[:0]
	}
}

func (t *Tail) open(name string) (*os.File, fs.FileInfo, error) {
	f, err := t.dir.Open(name)
	if err != nil {
		return nil, nil, fmt.Errorf("opening PM2's log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, nil, fmt.Errorf("opening PM2's log: %w", err)
	}
	return f, info, nil
}

type rotatedFile struct {
	file *os.File
	info fs.FileInfo
}

// rotated opens the log's rotated copies, oldest first.
func (t *Tail) rotated() []rotatedFile {
	names, err := t.dir.Names()
	if err != nil {
		return nil
	}
	var out []rotatedFile
	for _, name := range names {
		isCopy := strings.HasPrefix(name, "pm2") && strings.Contains(name, ".log") && name != FileName && !strings.HasSuffix(name, ".gz")
		if !isCopy || len(out) == maxRotated {
			continue
		}
		if f, info, err := t.open(name); err == nil {
			out = append(out, rotatedFile{f, info})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].info.ModTime().Before(out[j].info.ModTime()) })
	return out
}

// matches is true when pos is a place in f: the bytes before it are the same.
func matches(f *os.File, info fs.FileInfo, pos Position) bool {
	if pos.Offset < 0 || info.Size() < pos.Offset || pos.CheckLen < 0 || int64(pos.CheckLen) > min(pos.Offset, checkSize) {
		return false
	}
	if pos.CheckLen == 0 {
		// The beginning of a file looks like any other's.
		dev, ino := fileID(info)
		return dev == pos.Device && ino == pos.Inode
	}
	now := make([]byte, pos.CheckLen)
	_, err := f.ReadAt(now, pos.Offset-int64(pos.CheckLen))
	return err == nil && crc32.ChecksumIEEE(now) == pos.Check
}
