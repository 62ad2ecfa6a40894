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

// envelope is a record.Batch whose parts are still to be read, so that a record
// that is bad costs no other, and a newer agent may tell more of itself.
type envelope struct {
	V       *int            `json:"v"`
	Agent   json.RawMessage `json:"agent"`
	Records json.RawMessage `json:"records"`
}

// decode reads a batch. An error says that it is none, or too large.
func decode(body []byte, now time.Time) (*batch, error) {
	var e envelope
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&e); err != nil {
		return nil, noBatch(jsonProblem(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, noBatch("something follows it")
	}
	switch {
	case e.V == nil:
		return nil, noBatch("v is missing")
	case *e.V < 1 || *e.V > record.Version:
		return nil, noBatch(fmt.Sprintf("v is %d, this server knows up to %d: update the server", *e.V, record.Version))
	case len(e.Records) > 0 && e.Records[0] != '[' && e.Records[0] != 'n':
		return nil, noBatch("records is no list")
	}
	list := elements(e.Records, record.MaxRecords)
	if len(list) > record.MaxRecords {
		return nil, tooLarge(fmt.Sprintf("more than the %d records in one batch that are taken", record.MaxRecords))
	}
	agent, err := decodeAgent(e.Agent)
	if err != nil {
		return nil, err
	}
	b := &batch{agent: agent, records: make([]*record.Record, 0, len(list))}
	for i, raw := range list {
		r, refusal := decodeRecord(raw, now)
		if refusal != nil {
			refusal.Index = i
			b.refused = append(b.refused, *refusal)
			continue
		}
		b.records = append(b.records, r)
	}
	return b, nil
}

// decodeRecord reads one record. Fields that are not known are left out: a newer
// agent may tell more.
func decodeRecord(raw []byte, now time.Time) (*record.Record, *record.Refusal) {
	switch {
	case len(raw) > record.MaxRecord:
		return nil, &record.Refusal{Reason: record.TooBig, Error: fmt.Sprintf("the record is %d bytes, at most %d are kept", len(raw), record.MaxRecord)}
	case deeper(raw, maxDepth):
		return nil, &record.Refusal{Reason: record.TooBig, Error: fmt.Sprintf("the record is more than %d objects deep", maxDepth)}
	case !utf8.Valid(raw):
		return nil, &record.Refusal{Reason: record.Invalid, Error: "the record is not UTF-8"}
	}
	var r *record.Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return nil, &record.Refusal{Reason: record.Invalid, Error: jsonProblem(err)}
	}
	if r == nil {
		return nil, &record.Refusal{Reason: record.Invalid, Error: "the record is null"}
	}
	if refusal := r.Check(now); refusal != nil {
		return nil, refusal
	}
	if r.Kind == record.GroupState { // who did what to a group is known here alone
		return nil, &record.Refusal{ID: r.ID, Reason: record.Invalid, Error: fmt.Sprintf("records of kind %q are the server's own", r.Kind)}
	}
	return r, nil
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

// elements cuts a list of valid JSON into its elements, without a copy, until
// there are more than limit: a small body can hold millions of them.
func elements(list []byte, limit int) (out [][]byte) {
	depth, begin, inText, escaped := 0, 0, false, false
	for i, c := range list {
		ends := false
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth == 1 {
				begin = i + 1
			}
		case c == '}' || c == ']':
			depth--
			ends = depth == 0
		case c == ',':
			ends = depth == 1
		}
		if !ends {
			continue
		}
		if element := bytes.TrimSpace(list[begin:i]); len(element) > 0 { // an empty list has none
			out = append(out, element)
		}
		if begin = i + 1; len(out) > limit {
			break
		}
	}
	return out
}

// deeper tells whether valid JSON has more than limit objects and lists in each
// other.
func deeper(raw []byte, limit int) bool {
	depth, inText, escaped := 0, false, false
	for _, c := range raw {
		switch {
		case escaped:
			escaped = false
		case inText:
			escaped, inText = c == '\\', c != '"'
		case c == '"':
			inText = true
		case c == '{' || c == '[':
			if depth++; depth > limit {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
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
