package server

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/memnet"
	"github.com/pm25/pm25/internal/record"
)

// maxDepth is how deep the JSON of one record may be: its own parts, and the
// deepest context that a check lets pass.
const maxDepth = record.MaxDepth + 8

// batch is a push that was read: records that can be kept, and those that can
// not.
type batch struct {
	agent   record.Agent
	records []*record.Record
	refused []record.Refusal
}

// decode reads a batch, record by record, so that one that is bad costs no other
// and none is read more often than it has to. An error says that it is none, or
// too large.
func decode(body []byte, now time.Time) (*batch, error) {
	r := &reader{body: body, d: json.NewDecoder(bytes.NewReader(body)), now: now, batch: &batch{}}
	if err := r.read(); err != nil {
		return nil, err
	}
	if _, err := r.d.Token(); !errors.Is(err, io.EOF) {
		return nil, noBatch("something follows it")
	}
	switch {
	case r.v == nil:
		return nil, noBatch("v is missing")
	case *r.v < 1 || *r.v > record.Version:
		return nil, noBatch(fmt.Sprintf("v is %d, this server knows up to %d: update the server", *r.v, record.Version))
	}
	var err error
	r.batch.agent, err = decodeAgent(r.agent)
	return r.batch, err
}

type reader struct {
	body  []byte
	d     *json.Decoder
	now   time.Time
	v     *int
	agent json.RawMessage // a newer agent may tell more of itself
	batch *batch
}

// read reads an object with the fields of a record.Batch, each at most once.
func (r *reader) read() error {
	if err := r.delimiter('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for r.d.More() {
		t, err := r.d.Token()
		if err != nil {
			return noBatch(jsonProblem(err))
		}
		name, _ := t.(string)
		if seen[name] {
			return noBatch(clip(fmt.Sprintf("field %q is there twice", name)))
		}
		seen[name] = true
		switch name {
		case "v":
			err = r.d.Decode(&r.v)
		case "agent":
			err = r.d.Decode(&r.agent)
		case "records":
			if err := r.records(); err != nil {
				return err
			}
		default:
			return noBatch(clip(fmt.Sprintf("unknown field %q", name)))
		}
		if err != nil {
			return noBatch(jsonProblem(err))
		}
	}
	return r.delimiter('}')
}

func (r *reader) delimiter(want json.Delim) error {
	t, err := r.d.Token()
	if err != nil {
		return noBatch(jsonProblem(err))
	}
	if t != want {
		return noBatch(fmt.Sprintf("%q is missing", want.String()))
	}
	return nil
}

// records reads the list, which may be null.
func (r *reader) records() error {
	switch t, err := r.d.Token(); {
	case err != nil:
		return noBatch(jsonProblem(err))
	case t == nil:
		return nil
	case t != json.Delim('['):
		return noBatch("records is no list")
	}
	for i := 0; r.d.More(); i++ {
		if i == record.MaxRecords {
			return tooLarge(fmt.Sprintf("more than %d records in one batch", record.MaxRecords))
		}
		begin := r.d.InputOffset()
		var rec *record.Record
		var err error
		if longer(bytes.TrimLeft(r.body[begin:], ", \t\r\n"), record.MaxRecord) { // its lists could be very long
			err = r.d.Decode(new(json.RawMessage))
		} else {
			err = r.d.Decode(&rec)
		}
		raw := bytes.TrimLeft(r.body[begin:r.d.InputOffset()], ", \t\r\n")
		if err != nil && !json.Valid(raw) {
			return noBatch(jsonProblem(err))
		}
		if refusal := check(rec, raw, err, r.now); refusal != nil {
			refusal.Index = i
			r.batch.refused = append(r.batch.refused, *refusal)
			continue
		}
		r.batch.records = append(r.batch.records, rec)
	}
	return r.delimiter(']')
}

// check returns why a record can not be kept. Fields that are not known are left
// out: a newer agent may tell more.
func check(r *record.Record, raw []byte, err error, now time.Time) *record.Refusal {
	switch {
	case len(raw) > record.MaxRecord:
		return &record.Refusal{Reason: record.TooBig, Error: fmt.Sprintf("the record is %d bytes, at most %d are kept", len(raw), record.MaxRecord)}
	case record.Deeper(raw, maxDepth):
		return &record.Refusal{Reason: record.TooBig, Error: fmt.Sprintf("the record is more than %d objects deep", maxDepth)}
	case !utf8.Valid(raw):
		return &record.Refusal{Reason: record.Invalid, Error: "the record is not UTF-8"}
	case err != nil:
		return &record.Refusal{Reason: record.Invalid, Error: jsonProblem(err)}
	case r == nil:
		return &record.Refusal{Reason: record.Invalid, Error: "the record is null"}
	}
	if refusal := r.Check(now); refusal != nil {
		return refusal
	}
	if r.Kind == record.GroupState { // who did what to a group is known here alone
		return &record.Refusal{ID: r.ID, Reason: record.Invalid, Error: fmt.Sprintf("records of kind %q are the server's own", r.Kind)}
	}
	return nil
}

// decodeAgent wants a host. An address that nobody could scrape is not kept,
// which is no reason to lose records.
func decodeAgent(raw json.RawMessage) (a record.Agent, err error) {
	if len(raw) == 0 || raw[0] != '{' || !utf8.Valid(raw) {
		return a, noBatch("agent is missing, or no object of UTF-8")
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, noBatch(jsonProblem(err))
	}
	for name, value := range map[string]string{"host": a.Host, "version": a.Version} {
		if len(value) > record.MaxName || !utf8.ValidString(value) || strings.ContainsFunc(value, isControl) {
			return a, noBatch(fmt.Sprintf("agent.%s is longer than %d bytes, or has control characters in it", name, record.MaxName))
		}
	}
	if a.Host == "" {
		return a, noBatch("agent.host is missing")
	}
	if !scrapable(a.Advertise) || a.Scheme != "" && a.Scheme != "http" && a.Scheme != "https" {
		a.Advertise, a.Scheme = "", ""
	}
	return a, nil
}

// scrapable tells whether an address is host:port, of another process.
func scrapable(address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || len(address) > record.MaxName || strings.HasSuffix(strings.ToLower(strings.TrimSuffix(host, ".")), memnet.Suffix) {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return false
	}
	return !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-_:%", r)
	})
}

// longer tells whether the object or list that text begins with, if it does, is
// longer than limit. It reads no more than that.
func longer(text []byte, limit int) bool {
	depth, inText, escaped := 0, false, false
	for _, c := range text[:min(len(text), limit)] {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return false
			}
		}
		if depth == 0 { // a number or the like
			return false
		}
	}
	return len(text) > limit
}

// jsonProblem says what is wrong with JSON without repeating what it holds.
func jsonProblem(err error) string {
	var kind *json.UnmarshalTypeError
	if errors.As(err, &kind) {
		return clip(fmt.Sprintf("%s can not be a %s", kind.Field, kind.Value))
	}
	return clip(err.Error())
}

func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), 200)], "") }

func isControl(r rune) bool { return r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 }

func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}
