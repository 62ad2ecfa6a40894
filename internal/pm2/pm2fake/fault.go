package pm2fake

import (
	"bytes"
	"io"
	"time"
)

// Fault is what is wrong with one answer. Faults are used up in order, each by
// the next call of its method.
type Fault struct {
	Method string // "": any
	Times  int    // how many answers it spoils; 0 is one, -1 all that follow

	Delay  time.Duration // before the answer
	Silent bool          // no answer at all
	Close  bool          // close the connection in place of an answer, or after a Raw one
	Cut    int           // send so many bytes of the answer and close; 0: all
	ID     string        // an id in place of the right one
	Body   string        // JSON in place of {"args":…}
	Pad    int64         // so many bytes of text in front of the answer's args
	Raw    []byte        // bytes in place of the whole answer
	Before []byte        // bytes in front of it
}

// fault takes the next one for a method; the zero Fault spoils nothing.
func (d *Daemon) fault(method string) Fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range d.faults {
		f := &d.faults[i]
		if f.Method != "" && f.Method != method {
			continue
		}
		out := *f
		if f.Times > 0 {
			f.Times--
		}
		if f.Times == 0 {
			d.faults = append(d.faults[:i], d.faults[i+1:]...)
		}
		return out
	}
	return Fault{}
}

// answer returns the frame of an answer as a stream, for it may be large.
func (f Fault) answer(args, id string) io.Reader {
	if f.ID != "" {
		id = f.ID
	}
	switch {
	case f.Raw != nil:
		return bytes.NewReader(f.Raw)
	case f.Body != "":
		return bytes.NewReader(Frame(JSON(f.Body), Text(id)))
	case f.Pad == 0:
		return bytes.NewReader(append(bytes.Clone(f.Before), Answer(args, id)...))
	}
	const head, middle = `j:{"pad":"`, `","args":`
	n := int64(len(head)+len(middle)+len(args)+1) + f.Pad
	return io.MultiReader(
		bytes.NewReader([]byte{0x12, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}),
		bytes.NewReader([]byte(head)), io.LimitReader(letters{}, f.Pad), bytes.NewReader([]byte(middle+args+"}")),
		bytes.NewReader(Frame(Text(id))[1:]),
	)
}

// letters is an endless text.
type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
