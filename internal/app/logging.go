package app

import (
	"log/slog"
	"os"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	slgk "github.com/tjhop/slog-gokit"
)

// NewLoggers returns the program's logger, and the same for libraries that
// want slog, which notes time and caller itself.
func NewLoggers(least, format string) (log.Logger, *slog.Logger) {
	out := log.NewSyncWriter(os.Stderr)
	logger := log.NewLogfmtLogger(out)
	if format == "json" {
		logger = log.NewJSONLogger(out)
	}
	logger = level.NewFilter(logger, level.Allow(level.ParseDefault(least, level.InfoValue())))
	return log.With(logger, "time", log.DefaultTimestampUTC, "caller", log.DefaultCaller), slog.New(slgk.NewGoKitHandler(logger, nil))
}
