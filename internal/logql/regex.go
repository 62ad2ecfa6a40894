package logql

import (
	"errors"
	"fmt"
	"regexp/syntax"
	"strings"
)

// Bounds of regular expressions. Matching takes as long as a text is long, times
// the steps: a few letters such as (.{0,1000}){0,9} can make very many of them.
const (
	maxRegex      = 4 << 10 // bytes
	maxRegexSteps = 10_000  // of an expression, and of all of a query
)

// checkRegex counts the steps of a regular expression, or says why it is not
// taken.
func checkRegex(pattern string) (steps int, err error) {
	if len(pattern) > maxRegex {
		return 0, fmt.Errorf("the regular expression is %d bytes long, at most %d are read", len(pattern), maxRegex)
	}
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0, errors.New(regexError(err))
	}
	if steps = regexSteps(re); steps > maxRegexSteps {
		return 0, fmt.Errorf("the regular expression has more than %d steps with its repetitions: repeat less", maxRegexSteps)
	}
	return steps, nil
}

// regexSteps is about how many instructions an expression is compiled to.
func regexSteps(re *syntax.Regexp) int {
	steps := 1
	if re.Op == syntax.OpLiteral {
		steps = len(re.Rune)
	}
	for _, sub := range re.Sub {
		steps += regexSteps(sub)
	}
	if re.Op == syntax.OpRepeat {
		steps *= max(re.Max, re.Min+1)
	}
	return min(steps, maxRegexSteps+1) // no product overflows
}

func regexError(err error) string {
	var se *syntax.Error
	if errors.As(err, &se) {
		return "error parsing regexp: " + se.Code.String() + ": `" + clip(se.Expr, 100) + "`"
	}
	return strings.ToValidUTF8(err.Error(), "\uFFFD")
}
