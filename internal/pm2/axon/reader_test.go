package axon

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// frame encodes one AMP frame; only tests ever need to.
func frame(args ...string) []byte {
	out := []byte{Version<<4 | byte(len(args))}
	for _, a := range args {
		out = binary.BigEndian.AppendUint32(out, uint32(len(a)))
		out = append(out, a...)
	}
	return out
}

func TestReaderFollowsFrames(t *testing.T) {
	stream := append(frame("s:log:out", "j:{}"), frame()...)
	stream = append(stream, frame("", strings.Repeat("x", 100_000), "end")...)
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r },
		"bytes": iotest.OneByteReader,
		"half":  iotest.HalfReader,
		"data with error": func(r io.Reader) io.Reader {
			return iotest.DataErrReader(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(wrap(bytes.NewReader(stream)), 1<<20)
			wantArgc(t, r, 2)
			wantArg(t, r, "s:log:out")
			// The second argument is left unread on purpose.
			wantArgc(t, r, 0)
			wantArgc(t, r, 3)
			wantArg(t, r, "")
			if n, err := r.Arg(); n != 100_000 || err != nil {
				t.Fatalf("Arg() = %d, %v", n, err)
			}
			if got, err := r.Text(make([]byte, 3)); string(got) != "xxx" || err != nil {
				t.Fatalf("Text() = %q, %v", got, err)
			}
			wantArg(t, r, "end")
			if _, err := r.Arg(); err == nil {
				t.Fatal("Arg() past the last argument: no error")
			}
			if _, err := r.Next(); !errors.Is(err, io.EOF) {
				t.Fatalf("Next() at the end = %v, want EOF", err)
			}
		})
	}
}

func TestReaderRefuses(t *testing.T) {
	whole := frame("s:a", "j:{}")
	for name, c := range map[string]struct {
		stream []byte
		want   error
	}{
		"other version":  {append([]byte{0x22}, whole[1:]...), ErrVersion},
		"text":           {[]byte("HTTP/1.1 400 Bad Request\r\n"), ErrVersion},
		"huge argument":  {[]byte{0x11, 0xff, 0xff, 0xff, 0xff}, ErrTooLarge},
		"cut in length":  {whole[:3], io.ErrUnexpectedEOF},
		"cut in content": {whole[:len(whole)-1], io.ErrUnexpectedEOF},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(c.stream), 1<<20)
			err := drain(r)
			if !errors.Is(err, c.want) {
				t.Fatalf("error = %v, want %v", err, c.want)
			}
			if _, again := r.Next(); !errors.Is(again, c.want) {
				t.Fatalf("a failed reader went on: %v", again)
			}
		})
	}
}

// FuzzReader holds that no stream makes the reader panic, hang, or give out
// more bytes than came in.
func FuzzReader(f *testing.F) {
	f.Add(frame("s:log:out", "j:{}"))
	f.Add(append(frame(), frame("a", "b", "c")...))
	f.Add([]byte{0x1f, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		r := NewReader(bytes.NewReader(stream), 1<<16)
		total := 0
		for {
			argc, err := r.Next()
			if err != nil {
				return
			}
			for range argc {
				n, err := r.Arg()
				if err != nil {
					return
				}
				got, err := io.ReadAll(r)
				if total += len(got); err == nil && len(got) != n {
					t.Fatalf("argument of %d bytes gave %d", n, len(got))
				}
				if total > len(stream) {
					t.Fatal("more bytes out than in")
				}
			}
		}
	})
}

func drain(r *Reader) error {
	for {
		argc, err := r.Next()
		if err != nil {
			return err
		}
		for range argc {
			if _, err := r.Arg(); err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				return err
			}
		}
	}
}

func wantArgc(t *testing.T, r *Reader, want int) {
	t.Helper()
	if got, err := r.Next(); got != want || err != nil {
		t.Fatalf("Next() = %d, %v, want %d", got, err, want)
	}
}

func wantArg(t *testing.T, r *Reader, want string) {
	t.Helper()
	if _, err := r.Arg(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != want || err != nil {
		t.Fatalf("argument = %q, %v, want %q", got, err, want)
	}
}
