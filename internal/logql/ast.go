package logql

import (
	"time"

	"github.com/prometheus/prometheus/model/labels"
)

// Expr is a query: a *LogExpr, or one of the expressions that have samples.
type Expr interface {
	// String is the query in its canonical form.
	String() string
	expr()
}

// LogExpr selects log lines and changes them: {app="a"} |= "x" | json.
type LogExpr struct {
	Matchers []*labels.Matcher
	Stages   []Stage
}

// RangeAggregation makes samples of the lines within a window of time:
// rate({app="a"}[5m]).
type RangeAggregation struct {
	Op       string
	Param    float64 // of quantile_over_time
	Log      *LogExpr
	Unwrap   *Unwrap // nil: lines are counted
	Range    time.Duration
	Offset   time.Duration
	Grouping *Grouping // nil: one series for each set of labels
}

// Unwrap takes a sample's value out of a label.
type Unwrap struct {
	Label   string
	Convert string         // duration, duration_seconds or bytes; empty: a number
	After   []*FilterStage // label filters that follow it
}

// Grouping is by (a, b) or without (a, b).
type Grouping struct {
	Without bool
	Labels  []string
}

// VectorAggregation joins series: sum by (app) (…).
type VectorAggregation struct {
	Op       string
	Param    int // of topk and bottomk
	Grouping *Grouping
	Expr     Expr
}

// BinaryExpr is arithmetic, a comparison or a set operation.
type BinaryExpr struct {
	Op       string
	LHS, RHS Expr
	Bool     bool
	Matching *Matching // nil: on all labels, one to one
}

// Matching says which series of both sides belong together.
type Matching struct {
	On      bool // else ignoring
	Labels  []string
	Group   string   // group_left, group_right or empty
	Include []string // labels taken from the side that has one
}

// Literal is a number.
type Literal struct{ Value float64 }

// VectorExpr is vector(n): one series without labels.
type VectorExpr struct{ Value float64 }

// LabelReplace sets a label from a part of another.
type LabelReplace struct {
	Expr                           Expr
	Dst, Replacement, Src, Pattern string
}

func (*LogExpr) expr()           {}
func (*RangeAggregation) expr()  {}
func (*VectorAggregation) expr() {}
func (*BinaryExpr) expr()        {}
func (*Literal) expr()           {}
func (*VectorExpr) expr()        {}
func (*LabelReplace) expr()      {}

// Stage is a step of a pipeline. Stages are values; a pipeline is compiled from
// them for each query, since some keep state while they run.
type Stage interface {
	String() string
	compile(p *program) step
}

// LineFilter keeps lines: |= "a" or "b".
type LineFilter struct {
	Op    string // |=, !=, |~ or !~
	Texts []string
	match func(line string) bool
}

// JSONStage makes labels of the fields of a JSON object; with Fields, of those
// that are named.
type JSONStage struct{ Fields []Extraction }

// LogfmtStage does the same for key=value pairs.
type LogfmtStage struct {
	Strict, KeepEmpty bool
	Fields            []Extraction
}

// Extraction is label="path" in json and logfmt.
type Extraction struct {
	Label, Path string
	steps       []pathStep
}

// FilterStage keeps lines by their labels.
type FilterStage struct{ Filter LabelFilter }

// LineFormat writes the line anew.
type LineFormat struct{ Template string }

// LabelFormat sets labels, one after the other.
type LabelFormat struct{ Formats []LabelSet }

// LabelSet is dst=src or dst="template".
type LabelSet struct {
	Dst, Src string
	Template bool // Src is a template, else a label that is renamed
}

// KeepDrop is keep a, b="x" or drop a, b="x".
type KeepDrop struct {
	Drop   bool
	Labels []LabelChoice
}

// LabelChoice is a label, and what its value has to be if Matcher is not nil.
type LabelChoice struct {
	Name    string
	Matcher *labels.Matcher
}

// LabelFilter is a condition on labels.
type LabelFilter interface {
	String() string
	// keep may set an error label.
	keep(e *line) bool
}

// TextFilter compares a label with a string: level="error".
type TextFilter struct{ Matcher *labels.Matcher }

// NumberFilter compares a label with a number, duration or size: took > 10ms.
type NumberFilter struct {
	Name, Op string
	Value    float64 // durations in seconds, sizes in bytes
	Unit     string  // empty, duration or bytes
	Text     string  // as it was written
}

// LogicFilter is a and b, or a or b.
type LogicFilter struct {
	Or   bool
	L, R LabelFilter
}
