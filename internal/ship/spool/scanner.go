package spool

import (
	"bytes"
	"errors"
	"io"
)

// readAhead is how much is read at a time.
const readAhead = 64 << 10

// scanner finds the frames between two offsets of a file. What is none it leaves
// out, up to the next frame that is whole.
type scanner struct {
	r       io.ReaderAt
	at, end int64

	buf  []byte // what was read last
	base int64  // where that begins
}

// next returns the next frame and how many bytes before it were none. Its JSON is
// good until the next call. At the end it returns io.EOF, other errors are the
// file's.
func (s *scanner) next() (f frame, damaged int64, err error) {
	begin := s.at
	for s.at < s.end {
		f, found, err := s.frame()
		if err != nil {
			return frame{}, s.at - begin, err
		}
		if found {
			damaged = s.at - begin
			f.offset = s.at
			s.at += f.size()
			return f, damaged, nil
		}
		if err := s.resync(); err != nil {
			return frame{}, s.at - begin, err
		}
	}
	return frame{}, s.at - begin, io.EOF
}

// frame reads the frame at s.at, if there is one.
func (s *scanner) frame() (frame, bool, error) {
	head, err := s.read(s.at, headSize)
	if err != nil {
		return frame{}, false, err
	}
	n, good := lengthOf(head)
	if !good || s.at+headSize+int64(n) > s.end {
		return frame{}, false, nil
	}
	data, err := s.read(s.at, headSize+n)
	if err != nil || len(data) < headSize+n {
		return frame{}, false, err
	}
	f, good := readFrame(data)
	return f, good, nil
}

// resync goes to the next byte that may begin a frame.
func (s *scanner) resync() error {
	s.at++
	for s.at < s.end {
		data, err := s.read(s.at, 1)
		if err != nil {
			return err
		}
		if len(data) == 0 { // the file is shorter than it was
			s.at = s.end
			return nil
		}
		rest := s.buf[s.at-s.base:]
		if i := bytes.IndexByte(rest, mark); i >= 0 {
			s.at += int64(i)
			return nil
		}
		s.at += int64(len(rest))
	}
	s.at = min(s.at, s.end)
	return nil
}

// read returns n bytes at an offset, fewer at the end.
func (s *scanner) read(offset int64, n int) ([]byte, error) {
	n = int(min(int64(n), s.end-offset))
	if offset < s.base || offset+int64(n) > s.base+int64(len(s.buf)) {
		size := int(min(int64(max(n, readAhead)), s.end-offset))
		if cap(s.buf) < size {
			s.buf = make([]byte, size)
		}
		got, err := s.r.ReadAt(s.buf[:size], offset)
		s.buf, s.base = s.buf[:got], offset
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	data := s.buf[offset-s.base:]
	return data[:min(n, len(data))], nil
}
