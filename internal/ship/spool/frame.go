package spool

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

const (
	formatName    = "pm25 spool "
	formatVersion = 1
	headerSize    = 16 // of a segment

	// mark begins a frame. What a frame holds is JSON, in which such a byte can
	// only be escaped: no record, whatever an app puts into it, looks like a frame.
	mark     = 0x1e
	headSize = 20 // of a frame
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is the first line of a segment, with the version in it.
func header() string { return fmt.Sprintf("%s%04d\n", formatName, formatVersion) }

// versionOf reads a segment's header; 0 is none.
func versionOf(head []byte) int {
	line, found := strings.CutPrefix(string(head[:min(len(head), headerSize)]), formatName)
	if !found || len(line) != headerSize-len(formatName) || line[len(line)-1] != '\n' {
		return 0
	}
	n, err := strconv.Atoi(line[:len(line)-1])
	if err != nil || n < 1 {
		return 0
	}
	return n
}

// frame is one record on disk, little endian:
//
//	 0  mark
//	 1  kind (kinds.go)
//	 2  0, 0
//	 4  length of the JSON in bytes, 32 bits
//	 8  when it was spooled, milliseconds since 1970, 64 bits
//	16  CRC-32C of the 16 bytes before and of the JSON
//	20  JSON
type frame struct {
	offset int64
	kind   uint8
	at     int64
	json   []byte
}

func (f *frame) size() int64 { return headSize + int64(len(f.json)) }

func appendFrame(to []byte, kind uint8, at int64, json []byte) []byte {
	begin := len(to)
	to = append(to, mark, kind, 0, 0)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(json)))
	to = binary.LittleEndian.AppendUint64(to, uint64(at))
	sum := crc32.Update(crc32.Checksum(to[begin:], castagnoli), castagnoli, json)
	to = binary.LittleEndian.AppendUint32(to, sum)
	return append(to, json...)
}

// lengthOf returns how long the JSON of a frame with this head is; false: it is
// the head of none.
func lengthOf(head []byte) (int, bool) {
	if len(head) < headSize || head[0] != mark || head[2] != 0 || head[3] != 0 {
		return 0, false
	}
	n := binary.LittleEndian.Uint32(head[4:])
	return int(n), n > 0 && n <= record.MaxRecord
}

// readFrame reads the frame that data is, whole; false: it is damaged.
func readFrame(data []byte) (frame, bool) {
	json := data[headSize:]
	sum := crc32.Update(crc32.Checksum(data[:16], castagnoli), castagnoli, json)
	return frame{
		kind: data[1], at: timeOf(data), json: json,
	}, sum == binary.LittleEndian.Uint32(data[16:])
}

// timeOf reads when a frame was spooled from its head.
func timeOf(head []byte) int64 { return int64(binary.LittleEndian.Uint64(head[8:])) }
