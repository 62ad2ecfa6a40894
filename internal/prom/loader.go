package prom

import (
	"fmt"
	"log/slog"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

// loader reads rule files: built-in ones by name from memory, others from disk.
type loader struct {
	parser  parser.Parser
	builtin map[string]string
	log     *slog.Logger
}

// Load returns the groups of a file, or what is wrong with it, and where.
func (l loader) Load(name string, ignoreUnknownFields bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	text, ok := l.builtin[name]
	if !ok {
		return rulefmt.ParseFile(name, ignoreUnknownFields, scheme, l.parser, l.log)
	}
	groups, errs := rulefmt.Parse([]byte(text), ignoreUnknownFields, scheme, l.parser, l.log)
	for i, err := range errs {
		errs[i] = fmt.Errorf("%s: %w", name, err)
	}
	return groups, errs
}

// Parse reads one expression.
func (l loader) Parse(query string) (parser.Expr, error) { return l.parser.ParseExpr(query) }

// running loads rule files for a Server, the built-in ones as they are now.
type running struct{ s *Server }

// Load returns the groups of a file, or what is wrong with it, and where.
func (r running) Load(name string, ignoreUnknownFields bool, scheme model.ValidationScheme) (*rulefmt.RuleGroups, []error) {
	return loader{r.s.parser, *r.s.builtin.Load(), r.s.opts.Logger}.Load(name, ignoreUnknownFields, scheme)
}

// Parse reads one expression.
func (r running) Parse(query string) (parser.Expr, error) { return r.s.parser.ParseExpr(query) }
