package facts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/prometheus/model/labels"

	"github.com/pm25/pm25/internal/record"
	"github.com/pm25/pm25/sessionstore"
)

const (
	// before is how long before an alert what happened may have to do with it;
	// of deploys, which are rarer, recently is.
	before   = time.Hour
	recently = 24 * time.Hour
	maxLines = 3
	maxLine  = 300 // characters
)

// Records has what agents pushed.
type Records interface {
	Entries(ctx context.Context, sel sessionstore.Selection, yield func(*sessionstore.Entry) bool) error
	Record(ctx context.Context, id string) (r *record.Record, bucket string, err error)
	Groups(ctx context.Context, q sessionstore.GroupQuery) ([]sessionstore.Group, error)
	GroupSamples(ctx context.Context, id string, limit int) ([]*record.Record, error)
}

// Store finds facts among records.
type Store struct {
	records Records
	now     func() time.Time
}

// NewStore returns a Store.
func NewStore(records Records, now func() time.Time) *Store { return &Store{records, now} }

// About finds what is known of the app of an alert.
func (s *Store) About(ctx context.Context, of Subject) (Known, error) {
	var k Known
	if of.App == "" {
		return k, nil
	}
	since := s.since(of)
	exit, err := s.last(ctx, of, record.Exit, since)
	if err != nil {
		return k, fmt.Errorf("last end of %s: %w", of.App, err)
	}
	if exit != nil && exit.Exit != nil {
		k.End = endOf(exit)
		k.Logs = lines(exit.Logs)
	}
	if k.Exception, err = s.exception(ctx, of, since, &k.Logs); err != nil {
		return k, fmt.Errorf("last exception of %s: %w", of.App, err)
	}
	deploy, err := s.last(ctx, of, record.Deploy, s.now().Add(-recently))
	if err != nil {
		return k, fmt.Errorf("last deploy of %s: %w", of.App, err)
	}
	if deploy != nil {
		k.Deploy = deployOf(deploy)
	}
	return k, nil
}

// since is from when on what happened may have to do with the alert.
func (s *Store) since(of Subject) time.Time {
	if of.At.IsZero() || of.At.After(s.now()) {
		return s.now().Add(-before)
	}
	return of.At.Add(-before)
}

// last is the newest record of a kind, nil where there is none.
func (s *Store) last(ctx context.Context, of Subject, kind record.Kind, since time.Time) (*record.Record, error) {
	sel := sessionstore.Selection{Start: since.UnixNano(), End: s.now().Add(time.Minute).UnixNano(), Backward: true, NoLines: true}
	for _, m := range [][2]string{
		{"kind", string(kind)},
		{"bucket", of.Bucket},
		{"host", of.Host},
		{"daemon", of.Daemon},
		{"pm2_namespace", of.Namespace},
		{"app", of.App},
	} {
		if m[1] != "" {
			sel.Matchers = append(sel.Matchers, labels.MustNewMatcher(labels.MatchEqual, m[0], m[1]))
		}
	}
	var id string
	if err := s.records.Entries(ctx, sel, func(e *sessionstore.Entry) bool { id = e.ID; return false }); err != nil || id == "" {
		return nil, err
	}
	r, _, err := s.records.Record(ctx, id)
	return r, err
}

func endOf(r *record.Record) *End {
	e := r.Exit
	return &End{
		At: r.Time(), Reason: e.Reason, Code: e.Code, Signal: e.Signal, Peak: e.Memory,
		Lived: time.Duration(min(e.Uptime, 1e9) * float64(time.Second)),
	}
}

func deployOf(r *record.Record) *Deploy {
	d := &Deploy{At: r.Time(), To: release(r.Version, r.Revision)}
	if r.Deploy != nil {
		d.From = release(r.Deploy.FromVersion, r.Deploy.FromRevision)
		if d.From == d.To { // the same version of another revision
			d.From, d.To = release("", r.Deploy.FromRevision), release("", r.Revision)
		}
	}
	return d
}

// release is what people call it: the version, or the beginning of the revision.
func release(version, revision string) string {
	const short = 10
	switch {
	case version != "":
		return version
	case len(revision) > short:
		return revision[:short]
	}
	return revision
}

// exception finds the group that was seen last, of those that nobody has muted
// or resolved; its lines of log are taken where there are none yet.
func (s *Store) exception(ctx context.Context, of Subject, since time.Time, logs *[]string) (*Exception, error) {
	groups, err := s.records.Groups(ctx, sessionstore.GroupQuery{
		Bucket: of.Bucket, Namespace: of.Namespace, App: of.App, Since: since, Limit: 1,
		States: []sessionstore.State{sessionstore.StateNew, sessionstore.StateOngoing, sessionstore.StateRegressed},
	})
	if err != nil || len(groups) == 0 {
		return nil, err
	}
	g := groups[0]
	e := &Exception{Group: g.ID, Title: g.Title, Frame: g.Culprit, Count: g.Count}
	samples, err := s.records.GroupSamples(ctx, g.ID, 1)
	if err != nil {
		return nil, err
	}
	if len(samples) > 0 && samples[0].Exception != nil {
		e.Frame = topFrame(samples[0].Exception, g.Culprit)
		if len(*logs) == 0 {
			*logs = lines(samples[0].Logs)
		}
	}
	return e, nil
}

// topFrame is the innermost frame in the app's own code, or what the group is
// told by.
func topFrame(e *record.ExceptionInfo, culprit string) string {
	for _, f := range e.Frames {
		if !f.InApp {
			continue
		}
		at := f.File
		if f.Line > 0 {
			at = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		if f.Function == "" {
			return at
		}
		return fmt.Sprintf("%s (%s)", f.Function, at)
	}
	return culprit
}

// lines are the last that were written to stderr, or to stdout where that is
// empty. Frames of a stack and what Node.js prints around it say nothing that the
// exception does not.
func lines(logs []record.LogLine) []string {
	for _, noise := range []bool{false, true} {
		for _, stream := range []string{"err", "out"} {
			var out []string
			for i := len(logs) - 1; i >= 0 && len(out) < maxLines; i-- {
				text := strings.TrimSpace(logs[i].Text)
				if logs[i].Stream == stream && text != "" && (noise || !isNoise(text)) {
					out = append([]string{shorten(text)}, out...)
				}
			}
			if len(out) > 0 {
				return out
			}
		}
	}
	return nil
}

func isNoise(text string) bool {
	return strings.HasPrefix(text, "at ") || strings.HasPrefix(text, "Node.js v") || strings.Trim(text, "^}") == ""
}

func shorten(text string) string {
	n := 0
	for i := range text {
		if n++; n > maxLine {
			return text[:i] + "…"
		}
	}
	return text
}
