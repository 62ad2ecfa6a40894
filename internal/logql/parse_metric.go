package logql

import (
	"math"
	"slices"
)

// Names that need a constant.
const (
	opCount     = "count_over_time"
	opRate      = "rate"
	opBytes     = "bytes_over_time"
	opBytesRate = "bytes_rate"
	opAbsent    = "absent_over_time"
	opQuantile  = "quantile_over_time"
	opSum       = "sum_over_time"

	opTopK    = "topk"
	opBottomK = "bottomk"
)

// A rangeRule says what goes with a range aggregation.
type rangeRule struct{ unwrap, plain, grouping bool }

var rangeRules = map[string]rangeRule{
	opCount:            {plain: true},
	opRate:             {plain: true, unwrap: true},
	opBytes:            {plain: true},
	opBytesRate:        {plain: true},
	opAbsent:           {plain: true, unwrap: true},
	opSum:              {unwrap: true},
	"avg_over_time":    {unwrap: true, grouping: true},
	"min_over_time":    {unwrap: true, grouping: true},
	"max_over_time":    {unwrap: true, grouping: true},
	"first_over_time":  {unwrap: true, grouping: true},
	"last_over_time":   {unwrap: true, grouping: true},
	"stddev_over_time": {unwrap: true, grouping: true},
	"stdvar_over_time": {unwrap: true, grouping: true},
	opQuantile:         {unwrap: true, grouping: true},
}

var vectorOps = []string{"sum", "avg", "min", "max", "count", "stddev", "stdvar", opTopK, opBottomK, "sort", "sort_desc"}

// Functions that Loki has and this package has not.
var foreignFunctions = []string{"rate_counter", "approx_topk", "variants"}

// How much operators bind, as in PromQL.
var precedences = map[string]int{
	"or": 1, "and": 2, "unless": 2,
	"==": 3, "!=": 3, ">": 3, ">=": 3, "<": 3, "<=": 3,
	"+": 4, "-": 4, "*": 5, "/": 5, "%": 5, "^": 6,
}

// binary reads operators that bind more than floor.
func (p *parser) binary(floor int) Expr {
	p.enter()
	defer p.leave()
	left := p.unary()
	for {
		t := p.peek()
		binds := precedences[t.text]
		if t.kind != tokenSign && t.kind != tokenName || binds <= floor {
			return left
		}
		p.part()
		e := &BinaryExpr{Op: p.take().text, LHS: left}
		p.modifiers(e)
		below := binds
		if e.Op == "^" {
			below-- // binds to the right
		}
		e.RHS = p.binary(below)
		p.checkBinary(t, e)
		left = e
	}
}

func isComparison(op string) bool { return precedences[op] == 3 }

func isSet(op string) bool { return precedences[op] == 1 || precedences[op] == 2 }

func (p *parser) modifiers(e *BinaryExpr) {
	at := p.peek().at
	if p.acceptWord("bool") {
		e.Bool = true
		if !isComparison(e.Op) {
			p.fail(at, "bool belongs to comparisons")
		}
	}
	if !p.isWord("on", "ignoring") {
		return
	}
	m := &Matching{On: p.take().text == "on", Labels: p.labelList()}
	if p.isWord("group_left", "group_right") {
		at := p.peek().at
		m.Group = p.take().text
		if isSet(e.Op) {
			p.fail(at, "no grouping allowed for %q", e.Op)
		}
		if p.isSign("(") {
			m.Include = p.labelList()
		}
	}
	e.Matching = m
}

func (p *parser) checkBinary(op token, e *BinaryExpr) {
	scalar := isScalar(e.LHS) || isScalar(e.RHS)
	if isSet(e.Op) && scalar {
		p.fail(op.at, "unexpected literal for a side of the set operation %s", op)
	}
	if scalar && e.Matching != nil {
		p.fail(op.at, "vector matching belongs between two vectors, not to numbers")
	}
}

// isScalar is true for what is a number without a series.
func isScalar(e Expr) bool {
	switch e := e.(type) {
	case *Literal:
		return true
	case *BinaryExpr:
		return isScalar(e.LHS) && isScalar(e.RHS)
	}
	return false
}

func (p *parser) labelList() []string {
	p.expect("(")
	out := []string{}
	for !p.isSign(")") {
		p.part()
		if name := p.label(); !slices.Contains(out, name) {
			out = append(out, name)
		}
		if !p.accept(",") && !p.isSign(")") {
			p.unexpected(`"," or ")"`)
		}
	}
	p.expect(")")
	return out
}

func (p *parser) unary() Expr {
	t := p.peek()
	switch {
	case t.kind == tokenNumber:
		return &Literal{Value: p.take().number}
	case p.isSign("-") || p.isSign("+"):
		p.take()
		return &Literal{Value: p.signed(t.text)}
	case p.isSign("("):
		p.enter()
		defer p.leave()
		p.take()
		e := p.binary(0)
		p.expect(")")
		return e
	case p.isSign("{"):
		p.fail(t.at, "a log query in the place of a metric query: put it into a range aggregation, such as rate({app=\"a\"}[5m])")
	case t.kind == tokenName:
		return p.call()
	}
	p.unexpected("an expression")
	return nil
}

func (p *parser) signed(sign string) float64 {
	if p.peek().kind != tokenNumber {
		p.unexpected("a number")
	}
	n := p.take().number
	if sign == "-" {
		return -n
	}
	return n
}

func (p *parser) call() Expr {
	p.enter()
	defer p.leave()
	t := p.peek()
	_, ranged := rangeRules[t.text]
	switch {
	case ranged:
		return p.rangeAggregation()
	case slices.Contains(vectorOps, t.text):
		return p.vectorAggregation()
	case t.text == "vector":
		p.take()
		p.expect("(")
		v := &VectorExpr{Value: p.signed("")}
		p.expect(")")
		return v
	case t.text == "label_replace":
		return p.labelReplace()
	case slices.Contains(foreignFunctions, t.text):
		p.outside(t)
	}
	p.fail(t.at, "syntax error: unexpected %s, which is no function of LogQL", t)
	return nil
}

func (p *parser) rangeAggregation() Expr {
	t := p.take()
	e := &RangeAggregation{Op: t.text}
	p.expect("(")
	if e.Op == opQuantile {
		e.Param = p.signed("")
		p.expect(",")
	}
	r := p.log(true)
	if !r.windowPresent {
		p.unexpected("a range such as [5m]")
	}
	e.Log, e.Unwrap, e.Range, e.Offset = r.log, r.unwrap, r.window, r.offset
	p.expect(")")
	e.Grouping = p.grouping()
	rule := rangeRules[e.Op]
	switch {
	case e.Grouping != nil && !rule.grouping:
		p.fail(t.at, "grouping not allowed for %s aggregation", e.Op)
	case e.Unwrap != nil && !rule.unwrap:
		p.fail(t.at, "invalid aggregation %s with unwrap", e.Op)
	case e.Unwrap == nil && !rule.plain:
		p.fail(t.at, "invalid aggregation %s without unwrap", e.Op)
	}
	return e
}

// grouping reads by (…) or without (…), nil if there is none.
func (p *parser) grouping() *Grouping {
	if !p.isWord("by", "without") {
		return nil
	}
	return &Grouping{Without: p.take().text == "without", Labels: p.labelList()}
}

func (p *parser) vectorAggregation() Expr {
	p.part()
	t := p.take()
	e := &VectorAggregation{Op: t.text, Grouping: p.grouping()}
	p.expect("(")
	if e.Op == opTopK || e.Op == opBottomK {
		n := p.peek()
		if n.kind != tokenNumber || n.number != math.Trunc(n.number) || n.number < 1 || n.number > math.MaxInt32 {
			p.fail(n.at, "invalid parameter %s of %s: a number from 1 on", n, e.Op)
		}
		e.Param = int(p.take().number)
		p.expect(",")
	}
	at := p.peek().at
	e.Expr = p.binary(0)
	if isScalar(e.Expr) {
		p.fail(at, "%s needs series, this is a number", e.Op)
	}
	p.expect(")")
	if g := p.grouping(); g != nil {
		if e.Grouping != nil {
			p.fail(t.at, "a second grouping of %s", e.Op)
		}
		e.Grouping = g
	}
	if e.Grouping != nil && (e.Op == "sort" || e.Op == "sort_desc") {
		p.fail(t.at, "grouping not allowed for %s aggregation", e.Op)
	}
	return e
}

func (p *parser) labelReplace() Expr {
	p.part()
	p.take()
	p.expect("(")
	at := p.peek().at
	e := &LabelReplace{Expr: p.binary(0)}
	if isScalar(e.Expr) {
		p.fail(at, "label_replace needs series, this is a number")
	}
	for _, arg := range []*string{&e.Dst, &e.Replacement, &e.Src, &e.Pattern} {
		p.expect(",")
		at = p.peek().at
		*arg = p.str()
	}
	p.checkRegex(at, e.Pattern)
	p.expect(")")
	return e
}
