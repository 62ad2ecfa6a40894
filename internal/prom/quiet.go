package prom

import (
	"context"
	"errors"
	"log/slog"
)

// quiet leaves out that samples were refused: the guard tells it once, and each
// scrape and rule that tells it again would fill the disk further.
type quiet struct{ slog.Handler }

// Handle passes on what is not about refused samples.
func (q quiet) Handle(ctx context.Context, r slog.Record) error {
	known := false
	r.Attrs(func(a slog.Attr) bool {
		err, ok := a.Value.Any().(error)
		known = ok && errors.Is(err, errDiskLow)
		return !known
	})
	if known {
		return nil
	}
	return q.Handler.Handle(ctx, r)
}

// WithAttrs keeps the filter.
func (q quiet) WithAttrs(attrs []slog.Attr) slog.Handler { return quiet{q.Handler.WithAttrs(attrs)} }

// WithGroup keeps the filter.
func (q quiet) WithGroup(name string) slog.Handler { return quiet{q.Handler.WithGroup(name)} }
