package pm2

import (
	"fmt"

	"github.com/pm25/pm25/internal/record"
)

// extThrown takes a pm25:exception.
func (d *bodyDecoder) extThrown() (*Thrown, error) {
	t := &Thrown{}
	d.cut = false
	var version, pid uint64
	r := reportDecoder{scan: d.scan} // whose checks apply
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "v":
			version, err = r.count()
		case "pid":
			pid, err = r.count()
		case "start":
			t.Start, err = r.millis()
		case "id":
			t.ID, err = r.uuid()
		case "at":
			err = d.takeTime(&t.At)
		case "kind":
			err = d.name(&t.Kind)
		case "handled":
			t.ByApp, err = r.truth()
		case "occurrences":
			t.Occurrences, err = r.count()
		case "name":
			err = d.name(&t.Name)
		case "code":
			err = d.name(&t.Code)
		case "message":
			err = d.text(&t.Message, record.MaxMessage)
		case "stack":
			err = d.text(&t.Stack, record.MaxStack)
		case "causes":
			err = d.causes(t)
		case "route":
			err = d.route(t)
		case "context":
			t.Context, err = d.object()
		}
		return err
	})
	t.PID, t.Cut = int(min(pid, 1<<31-1)), d.cut
	t.NonError = t.Name == "NonError"
	known := t.Kind == "uncaught" || t.Kind == "rejection" || t.Kind == "handled" || t.Kind == "notified"
	switch {
	case err != nil:
		return nil, err
	case version != ReportVersion || t.PID == 0 || t.Start == 0 || t.ID == "" || t.Occurrences == 0 || !known:
		return nil, fmt.Errorf("%w: an exception of version %d, pid %d, kind %q", errReport, version, t.PID, t.Kind)
	}
	return t, nil
}

func (d *bodyDecoder) causes(t *Thrown) error {
	return d.scan.Array(func() error {
		if len(t.Causes) == record.MaxCauses {
			d.cut = true
			return nil
		}
		var c ThrownCause
		err := d.scan.Object(func(key []byte) error {
			switch string(key) {
			case "name":
				return d.name(&c.Name)
			case "message":
				return d.text(&c.Message, record.MaxMessage)
			case "stack":
				return d.text(&c.Stack, record.MaxStack)
			}
			return nil
		})
		t.Causes = append(t.Causes, c)
		return err
	})
}

func (d *bodyDecoder) route(t *Thrown) error {
	return d.scan.Object(func(key []byte) error {
		switch string(key) {
		case "m":
			return d.name(&t.Method)
		case "r":
			return d.name(&t.Route)
		}
		return nil
	})
}

// extEvent takes a pm25:event.
func (d *bodyDecoder) extEvent() (*Custom, error) {
	c := &Custom{}
	d.cut = false
	var version, pid uint64
	r := reportDecoder{scan: d.scan}
	err := r.object(func(key []byte) (err error) {
		switch string(key) {
		case "v":
			version, err = r.count()
		case "pid":
			pid, err = r.count()
		case "start":
			c.Start, err = r.millis()
		case "id":
			c.ID, err = r.uuid()
		case "at":
			err = d.takeTime(&c.At)
		case "name":
			err = d.name(&c.Name)
		case "data":
			c.Data, err = d.object()
		}
		return err
	})
	c.PID, c.Cut = int(min(pid, 1<<31-1)), d.cut
	switch {
	case err != nil:
		return nil, err
	case version != ReportVersion || c.PID == 0 || c.Start == 0 || c.ID == "" || c.Name == "":
		return nil, fmt.Errorf("%w: an event of version %d, pid %d", errReport, version, c.PID)
	}
	return c, nil
}
