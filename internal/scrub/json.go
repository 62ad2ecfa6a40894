package scrub

import (
	"bytes"
	"encoding/json"
	"strings"
)

// JSON returns raw without secrets: those in texts, and all that has the name of
// one, whatever it is. Objects keep their order and numbers their digits. What
// is no JSON is taken for a text.
func (s *Scrubber) JSON(raw json.RawMessage) json.RawMessage {
	if len(raw) == 0 {
		return raw
	}
	if !json.Valid(raw) {
		return json.RawMessage(s.Text(string(raw)))
	}
	w := walker{s: s, in: raw}
	w.value(w.space(0), public)
	if w.done == 0 {
		return raw
	}
	return append(w.out, raw[w.done:]...)
}

// walker goes over valid JSON.
type walker struct {
	s    *Scrubber
	in   []byte
	out  []byte // what changed, and all before it
	done int    // up to where in is in out
}

func (w *walker) replace(start, end int, text string) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string always can be
	w.out = append(w.out, w.in[w.done:start]...)
	w.out = append(w.out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
	w.done = end
}

func (w *walker) space(i int) int {
	for i < len(w.in) && (w.in[i] == ' ' || w.in[i] == '\t' || w.in[i] == '\n' || w.in[i] == '\r') {
		i++
	}
	return i
}

// value handles the value at i and returns where it ends.
func (w *walker) value(i int, means secrecy) int {
	var end int
	switch w.in[i] {
	case '{', '[':
		if means != public {
			end = w.skip(i)
			w.replace(i, end, means.mark())
			return end
		}
		if w.in[i] == '{' {
			return w.object(i + 1)
		}
		return w.list(i + 1)
	case '"':
		end = w.text(i)
		w.string(i, end, means)
	case 't', 'n', 'f':
		end = w.literal(i)
	default:
		end = w.literal(i)
		w.number(i, end, means)
	}
	return end
}

func (w *walker) object(i int) int {
	for i = w.space(i); w.in[i] != '}'; {
		end := w.text(i)
		name := w.decode(i, end)
		w.string(i, end, public)
		i = w.space(end) + 1 // the colon
		i = w.space(w.value(w.space(i), w.s.secrecyOf(name)))
		if w.in[i] == ',' {
			i = w.space(i + 1)
		}
	}
	return i + 1
}

// list handles the values of a list. Node's rawHeaders is one: the name of a
// header, its value, the next name.
func (w *walker) list(i int) int {
	means := public
	for i = w.space(i); w.in[i] != ']'; {
		start := i
		end := w.value(i, means)
		if means = public; w.in[start] == '"' {
			means = w.headerName(w.decode(start, end))
		}
		i = w.space(end)
		if w.in[i] == ',' {
			i = w.space(i + 1)
		}
	}
	return i + 1
}

// headerName is what the value after a text means, if that is the name of a
// header whose value is a secret.
func (w *walker) headerName(text string) secrecy {
	if len(text) > maxKey {
		return public
	}
	if means := w.s.secrecyOf(text); means.header() || strings.Contains(text, "-") && !strings.Contains(text, " ") {
		return means
	}
	return public
}

func (w *walker) string(start, end int, means secrecy) {
	was := w.decode(start, end)
	if means != public {
		if was != "" && markAt(was) != len(was) {
			w.replace(start, end, means.mark())
		}
		return
	}
	if is := w.s.Text(was); is != was {
		w.replace(start, end, is)
	}
}

func (w *walker) number(start, end int, means secrecy) {
	if means != public {
		w.replace(start, end, means.mark())
		return
	}
	was := string(w.in[start:end])
	if is := w.s.Text(was); is != was {
		w.replace(start, end, is)
	}
}

func (w *walker) decode(start, end int) string {
	if raw := w.in[start+1 : end-1]; bytes.IndexByte(raw, '\\') < 0 {
		return string(raw)
	}
	var s string
	_ = json.Unmarshal(w.in[start:end], &s) // it is valid
	return s
}

// text is the end of the string that begins at i.
func (w *walker) text(i int) int {
	for i++; w.in[i] != '"'; i++ {
		if w.in[i] == '\\' {
			i++
		}
	}
	return i + 1
}

// literal is the end of the number or word that begins at i.
func (w *walker) literal(i int) int {
	for i < len(w.in) && (isWord(w.in[i]) || w.in[i] == '-' || w.in[i] == '+' || w.in[i] == '.') {
		i++
	}
	return i
}

// skip is the end of the object or list that begins at i.
func (w *walker) skip(i int) int {
	for depth := 0; ; {
		switch w.in[i] {
		case '"':
			i = w.text(i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
}
