package ship

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pm25/pm25/internal/record"
)

const (
	deadLettersName = "dead-letters.jsonl"
	// maxLetters is where a file of dead letters becomes the old one. There are two.
	maxLetters = 8 << 20
)

// Letter is a record that the server will never take. Dead letters are lines of
// JSON in dead-letters.jsonl, and older ones in dead-letters.jsonl.old, of 8 MiB
// each: what is older goes. Nothing reads them but people.
type Letter struct {
	At     time.Time       `json:"at"`
	Reason record.Reason   `json:"reason"`
	Error  string          `json:"error"` // as the server said it
	Record json.RawMessage `json:"record"`
}

type deadLetters struct {
	path string

	mu      sync.Mutex
	file    *os.File // nil until there is one to write
	written int64

	told atomic.Int64 // written, for who must not wait for the disk
}

func newDeadLetters(path string) *deadLetters {
	d := &deadLetters{path: path}
	if info, err := os.Stat(path); err == nil {
		d.written = info.Size()
		d.told.Store(d.written)
	}
	return d
}

// add writes letters to the disk, all or none of them.
func (d *deadLetters) add(letters []Letter) error {
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	encoder.SetEscapeHTML(false)
	for _, l := range letters {
		if err := encoder.Encode(l); err != nil {
			return fmt.Errorf("dead letter: %w", err)
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.open(int64(lines.Len())); err != nil {
		return fmt.Errorf("dead letters: %w", err)
	}
	_, err := d.file.WriteAt(lines.Bytes(), d.written)
	if err == nil {
		err = d.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("dead letters: %w", errors.Join(err, d.file.Truncate(d.written)))
	}
	d.written += int64(lines.Len())
	d.told.Store(d.written)
	return nil
}

// open opens the file, or begins the next one.
func (d *deadLetters) open(more int64) error {
	if d.written > 0 && d.written+more > maxLetters {
		if d.file != nil {
			_ = d.file.Close()
			d.file = nil
		}
		if err := os.Rename(d.path, d.path+".old"); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		d.written = 0
	}
	if d.file != nil {
		return nil
	}
	f, err := os.OpenFile(d.path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	size, err := endOfLines(f)
	if err != nil {
		_ = f.Close()
		return err
	}
	d.file, d.written = f, size
	return nil
}

// endOfLines returns where the last whole line ends: a crash may have torn one.
func endOfLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	tail := make([]byte, min(info.Size(), 2*record.MaxRecord))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return 0, err
	}
	size := info.Size() - int64(len(tail)) + int64(bytes.LastIndexByte(tail, '\n')) + 1
	return size, f.Truncate(size)
}

func (d *deadLetters) size() int64 { return d.told.Load() }

func (d *deadLetters) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	return d.file.Close()
}
