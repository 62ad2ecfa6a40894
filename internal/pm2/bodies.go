package pm2

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/pm25/pm25/internal/pm2/jsonscan"
	"github.com/pm25/pm25/internal/record"
)

// bodyDecoder reads what messages say beyond who and what kind: errors,
// events and text. A reader without one passes over all of it.
type bodyDecoder struct {
	scan *jsonscan.Scanner
	logs *chunkReader // nil where there are no logs
	cut  bool         // something of the message at hand was left out
}

func newBodyDecoder(scan *jsonscan.Scanner) *bodyDecoder { return &bodyDecoder{scan: scan} }

// take reads the data of an app's own message, or of pm25-ext's.
func (d *bodyDecoder) take(ev *Event, topic []byte) (err error) {
	switch {
	case d == nil:
	case ev.Kind == EventExtException:
		ev.Thrown, err = d.extThrown()
	case ev.Kind == EventExtEvent:
		ev.Custom, err = d.extEvent()
	default:
		ev.Custom, err = d.custom(ev.Kind, string(topic))
	}
	return err
}

// text takes a text of at most limit bytes in which lines are fine.
func (d *bodyDecoder) text(into *string, limit int) error {
	raw, err := d.scan.Text(limit + utf8.UTFMax)
	text, cut := record.CleanText(string(raw), limit)
	*into, d.cut = text, d.cut || cut
	return err
}

// name takes one line.
func (d *bodyDecoder) name(into *string) error {
	raw, err := d.scan.Text(record.MaxName + utf8.UTFMax)
	*into = record.CleanName(string(raw))
	return err
}

// raw takes a value as JSON, nil for null and for one that is too large.
func (d *bodyDecoder) raw(levels int) ([]byte, error) {
	kind, err := d.scan.Kind()
	if err != nil || kind == jsonscan.Null {
		return nil, err
	}
	raw, err := d.scan.Raw(record.MaxJSON, levels)
	if err != nil {
		return nil, err
	}
	if raw == nil || !json.Valid(raw) || !utf8.Valid(raw) {
		d.cut = true
		return nil, nil
	}
	return bytes.Clone(raw), nil
}

// object takes a value as JSON, one that is no object as the value of data.
func (d *bodyDecoder) object() ([]byte, error) {
	raw, err := d.raw(record.MaxDepth - 1)
	if len(raw) == 0 || raw[0] == '{' {
		return raw, err
	}
	var members members
	members.add("value", raw)
	return members.json(), err
}

// members collects what becomes a JSON object.
type members struct {
	out  []byte
	full bool
}

func (m *members) add(key string, value []byte) {
	name, err := json.Marshal(key)
	if err != nil || len(m.out)+len(name)+len(value)+3 > record.MaxJSON {
		m.full = true
		return
	}
	m.out = append(m.out, ","...)
	m.out = append(m.out, name...)
	m.out = append(m.out, ":"...)
	m.out = append(m.out, value...)
}

func (m *members) json() []byte {
	if len(m.out) == 0 {
		return nil
	}
	m.out[0] = '{'
	return append(m.out, '}')
}

// thrown takes PM2's process:exception. In cluster mode it holds the error's
// own properties, of which only the code is taken; what is no error arrives
// as its characters, by their number.
func (d *bodyDecoder) thrown() (*Thrown, error) {
	t := &Thrown{Occurrences: 1}
	d.cut = false
	kind, err := d.scan.Kind()
	if err != nil {
		return nil, err
	}
	if kind != jsonscan.Object {
		t.NonError = true
		err = d.text(&t.Message, record.MaxMessage)
		t.Cut = d.cut
		return t, err
	}
	var characters []byte
	said := false
	err = d.scan.Object(func(key []byte) error {
		switch string(key) {
		case "message":
			said = true
			return d.text(&t.Message, record.MaxMessage)
		case "stack":
			said = true
			return d.text(&t.Stack, record.MaxStack)
		case "name":
			return d.name(&t.Name)
		case "code":
			return d.name(&t.Code)
		case "context":
			return d.text(&t.Source, record.MaxStack)
		case "callsite":
			return d.text(&t.Callsite, record.MaxMessage)
		case "metadata":
			t.ByApp = true
			return d.metadata(t)
		}
		if len(key) > 0 && key[0] >= '0' && key[0] <= '9' && len(characters) < record.MaxMessage {
			c, err := d.scan.Text(utf8.UTFMax)
			characters = append(characters, c...)
			return err
		}
		return nil
	})
	if !said {
		t.NonError = true
		t.Message, _ = record.CleanText(string(characters), record.MaxMessage)
	}
	t.Cut = d.cut
	return t, err
}

// metadata takes what an app gave to notifyError. Error handlers of PM2 put
// the request into it, of which only method and route are taken: its address,
// its body and its query are a user's.
func (d *bodyDecoder) metadata(t *Thrown) error {
	var rest members
	err := d.scan.Object(func(key []byte) error {
		name := string(key)
		if name == "http" {
			return d.request(t)
		}
		value, err := d.raw(record.MaxDepth - 2)
		if value != nil && string(value) != "{}" {
			rest.add(name, value)
		}
		return err
	})
	t.Context = rest.json()
	d.cut = d.cut || rest.full
	return err
}

func (d *bodyDecoder) request(t *Thrown) error {
	return d.scan.Object(func(key []byte) error {
		switch string(key) {
		case "method":
			text, err := d.scan.Text(maxMethod)
			t.Method = knownMethod(text)
			return err
		case "route":
			return d.name(&t.Route)
		}
		return nil
	})
}

// custom takes an event whose name is the topic, or what the data call
// themselves.
func (d *bodyDecoder) custom(kind EventKind, topic string) (*Custom, error) {
	c := &Custom{Name: record.CleanName(topic)}
	d.cut = false
	var err error
	if kind == EventHuman {
		err = d.human(c)
	} else {
		c.Data, err = d.object()
	}
	c.Cut = d.cut
	return c, err
}

func (d *bodyDecoder) human(c *Custom) error {
	var rest members
	err := d.scan.Object(func(key []byte) error {
		if string(key) == "__name" {
			return d.name(&c.Name)
		}
		name := string(key)
		value, err := d.raw(record.MaxDepth - 2)
		if value != nil {
			rest.add(name, value)
		}
		return err
	})
	c.Data = rest.json()
	d.cut = d.cut || rest.full
	return err
}

// life takes a key of PM2's description of a process. The app's environment
// lies among these keys: nothing else is taken.
func (d *bodyDecoder) life(into *Life, key []byte) error {
	s := d.scan
	switch string(key) {
	case "pm_uptime":
		return takeMillis(s, &into.StartedAt)
	case "version":
		return takeVersion(s, &into.Version)
	case "exec_mode":
		return takeMode(s, &into.ExecMode)
	case "node_version":
		return takeWord(s, &into.NodeVersion, nil)
	case "unique_id":
		return takeText(s, &into.UniqueID, 64)
	case "pm_cwd":
		return takeText(s, &into.Dir, 4096)
	case "versioning":
		return takeRevision(s, &into.Revision)
	}
	return nil
}

// takeTime takes milliseconds since 1970 as pm25-ext gives them.
func (d *bodyDecoder) takeTime(into *time.Time) error { return takeMillis(d.scan, into) }
