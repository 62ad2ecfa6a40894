package alertmanager

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	journalMagic = "pm25 am journal 1\n"
	// maxEntry bounds one entry: Alertmanager's own decoder takes 4 MiB.
	maxEntry = 4<<20 + 16
	// maxJournal is where a snapshot takes the place of the journal. It is taken
	// at once, so that a journal gets near the second bound only when the disk
	// refuses snapshots; then entries are kept in memory.
	maxJournal     = 1 << 20
	maxJournalEver = 64 << 20
	retryInterval  = 10 * time.Second
	complainEach   = time.Minute
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// state is what Alertmanager keeps: nflog.Log or silence.Silences. It calls what
// SetBroadcast sets with each change, serialized, with its lock held.
type state interface {
	Snapshot(w io.Writer) (int64, error)
	Merge(entry []byte) error
	SetBroadcast(f func([]byte))
	GC() (int, error)
}

// journal holds the changes since the last snapshot, one entry after another:
// length and CRC-32C (little endian, 4 bytes each), then what the state
// serialized. Alertmanager itself writes snapshots only, every 15 minutes.
type journal struct {
	o    journalOptions
	wake chan struct{} // a snapshot can not wait

	compacting sync.Mutex // one snapshot at a time

	mu       sync.Mutex
	file     *os.File // nil while none could be made
	size     int64
	behind   bool      // something is in memory only
	complain time.Time // not before
}

type journalOptions struct {
	Path, Snapshot, Name string
	State                state
	Failures             prometheus.Counter
	Logger               *slog.Logger
	Now                  func() time.Time
}

// openJournal merges what the journal holds into the state, writes a snapshot
// of it, and begins an empty journal. A crash between the two only merges twice.
func openJournal(o journalOptions) (*journal, error) {
	j := &journal{o: o, wake: make(chan struct{}, 1)}
	if err := j.replay(); err != nil {
		return nil, fmt.Errorf("journal of %s %s: %w; move it away to go on without what it holds", o.Name, o.Path, err)
	}
	_, err := j.compact()
	switch {
	case err == nil:
	case diskFull(err): // the old journal stays until there is room
		j.failed(err)
	default:
		return nil, err
	}
	return j, nil
}

func (j *journal) replay() error {
	info, err := os.Stat(j.o.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.Size() > maxJournalEver+maxEntry {
		return fmt.Errorf("it has %d bytes, which no journal gets to", info.Size())
	}
	var data []byte
	if err == nil {
		data, err = os.ReadFile(j.o.Path)
	}
	if err != nil {
		return err
	}
	entries, rest, err := readJournal(data)
	if err != nil {
		return err
	}
	if rest > 0 {
		j.o.Logger.Warn("The end of a journal is no whole entry and is left out", "journal", j.o.Path, "bytes", rest)
	}
	for _, entry := range entries {
		if err := j.o.State.Merge(entry); err != nil {
			return err
		}
	}
	return nil
}

// readJournal returns the entries, and how many bytes at the end are none: a
// write that a crash cut off.
func readJournal(data []byte) (entries [][]byte, rest int, err error) {
	if len(data) < len(journalMagic) && string(data) == journalMagic[:len(data)] {
		return nil, len(data), nil
	}
	if len(data) < len(journalMagic) || string(data[:len(journalMagic)]) != journalMagic {
		return nil, 0, errors.New("it is not a journal of this version")
	}
	data = data[len(journalMagic):]
	for len(data) >= 8 {
		n := binary.LittleEndian.Uint32(data)
		if n > maxEntry || int(n) > len(data)-8 {
			break
		}
		entry := data[8 : 8+n]
		if crc32.Checksum(entry, castagnoli) != binary.LittleEndian.Uint32(data[4:]) {
			break
		}
		entries = append(entries, entry)
		data = data[8+n:]
	}
	return entries, len(data), nil
}

func appendEntry(to, entry []byte) []byte {
	to = binary.LittleEndian.AppendUint32(to, uint32(len(entry)))
	to = binary.LittleEndian.AppendUint32(to, crc32.Checksum(entry, castagnoli))
	return append(to, entry...)
}

// append puts an entry on disk. It is called with the state's lock held.
func (j *journal) append(entry []byte) {
	j.mu.Lock()
	defer j.mu.Unlock()
	err := j.write(entry)
	if err != nil {
		j.behind = true
		j.complainOf(err)
	}
	if err == nil && j.size > maxJournal {
		select {
		case j.wake <- struct{}{}:
		default:
		}
	}
}

// write appends. What a failed write leaves on disk the next one overwrites, and
// the reader leaves out.
func (j *journal) write(entry []byte) error {
	switch {
	case j.file == nil:
		return errors.New("there is no journal until a snapshot can be written")
	case len(entry) > maxEntry:
		return fmt.Errorf("an entry of %d bytes is too large", len(entry))
	case j.size > maxJournalEver:
		return errors.New("the journal is full")
	}
	n, err := j.file.WriteAt(appendEntry(nil, entry), j.size)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return err
	}
	j.size += int64(n)
	return nil
}

// failed counts a failure and tells of it, once a minute.
func (j *journal) failed(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.complainOf(err)
}

func (j *journal) complainOf(err error) {
	j.o.Failures.Inc()
	if now := j.o.Now(); !now.Before(j.complain) {
		j.complain = now.Add(complainEach)
		j.o.Logger.Error("What Alertmanager keeps is in memory only and would be lost in a crash", "of", j.o.Name, "journal", j.o.Path, "err", err)
	}
}

// run takes the snapshots that can not wait, until stop is closed.
func (j *journal) run(stop <-chan struct{}) {
	ticker := time.NewTicker(retryInterval)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
		case <-j.wake:
		}
		if !j.due() {
			continue
		}
		if _, err := j.compact(); err != nil {
			j.failed(err)
		}
	}
}

// due tells whether a snapshot can not wait.
func (j *journal) due() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.behind || j.size > maxJournal
}

// compact forgets what is too old, writes a snapshot, and leaves only what was
// added meanwhile in the journal. It holds no lock while the state writes: the
// state holds its own when it appends. It returns the size of the snapshot.
func (j *journal) compact() (size int64, err error) {
	j.compacting.Lock()
	defer j.compacting.Unlock()
	_, gcErr := j.o.State.GC() // clears up what it tells of: the rest is good
	j.mu.Lock()
	mark := j.size // what lies before is in the state
	j.behind = false
	j.mu.Unlock()
	f, err := replaceFile(j.o.Snapshot, func(w io.Writer) error {
		size, err = j.o.State.Snapshot(w)
		return err
	})
	j.mu.Lock()
	defer j.mu.Unlock()
	if err == nil {
		_ = f.Close()
		err = j.shift(mark)
	}
	if err != nil {
		j.behind = true
		return size, fmt.Errorf("snapshot of %s: %w", j.o.Name, err)
	}
	return size, gcErr
}

// shift begins a journal with what the old one holds after mark. When it fails
// there is no journal until the next snapshot: it is not known which file would
// be found after a crash.
func (j *journal) shift(mark int64) error {
	old := j.file
	j.file = nil
	content := []byte(journalMagic)
	if old != nil {
		defer old.Close()
		rest := make([]byte, j.size-mark)
		if _, err := io.ReadFull(io.NewSectionReader(old, mark, int64(len(rest))), rest); err != nil {
			return err
		}
		content = append(content, rest...)
	}
	var err error
	j.file, err = replaceFile(j.o.Path, func(w io.Writer) error {
		_, err := w.Write(content)
		return err
	})
	j.size = int64(len(content))
	return err
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.file != nil {
		_ = j.file.Close()
		j.file = nil
	}
}
