package spool

import (
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

const positionName = "position"

// position is up to where records are acknowledged: all segments of lower numbers,
// and this one up to the offset.
type position struct {
	segment uint64
	offset  int64
}

// positionFile is one line: segment, offset and the CRC-32C of both, in
// hexadecimal. It is written in place, which takes no room of a full disk, and
// not synced: a position that is lost or old makes records go twice, and the
// server knows their ids.
type positionFile struct{ file *os.File }

func openPosition(dir string) (*positionFile, position, error) {
	f, err := os.OpenFile(filepath.Join(dir, positionName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, position{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, 64))
	if err != nil {
		_ = f.Close()
		return nil, position{}, err
	}
	if len(data) == 0 {
		_, _ = f.WriteAt([]byte(formatPosition(position{})), 0) // takes its room while there is some; of no use else
	}
	return &positionFile{f}, parsePosition(string(data)), nil
}

func formatPosition(p position) string {
	line := fmt.Sprintf("%016x %016x", p.segment, p.offset)
	return fmt.Sprintf("%s %08x\n", line, crc32.Checksum([]byte(line), castagnoli))
}

// parsePosition reads a line; one that is none is the beginning.
func parsePosition(line string) position {
	var p position
	if n, err := fmt.Sscanf(line, "%x %x", &p.segment, &p.offset); n != 2 || err != nil || formatPosition(p) != line {
		return position{}
	}
	return p
}

func (f *positionFile) write(p position) error {
	_, err := f.file.WriteAt([]byte(formatPosition(p)), 0)
	return err
}

func (f *positionFile) close() { _ = f.file.Close() }
