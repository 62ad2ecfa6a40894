package logql

import (
	"errors"
	"fmt"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
)

// Bounds of what a template makes of one line.
const (
	maxTemplateOutput = 64 << 10              // bytes of text, in the end and of most functions
	maxTemplateText   = 4 * maxTemplateOutput // bytes that go into a function, or come out of it
	maxTemplateWork   = 16 * maxTemplateText  // bytes that go into all functions and come out of them
	maxTemplateLoops  = 10_000                // rounds of range
)

var (
	errTemplateOutput = fmt.Errorf("the template makes more than %d bytes", maxTemplateOutput)
	errTemplateText   = fmt.Errorf("a function of the template takes or makes more than %d bytes", maxTemplateText)
	errTemplateWork   = fmt.Errorf("the functions of the template take and make more than %d bytes", maxTemplateWork)
	errTemplateLoops  = fmt.Errorf("the template goes more than %d rounds", maxTemplateLoops)
)

// A template makes text of a line's labels. It is for one goroutine.
type template struct {
	t     *texttemplate.Template
	line  *line
	loops int
	work  int // bytes that went into functions and came out
	out   boundedText
	regex regexCache
}

const tick = "__tick"

// parseTemplate reads a template of line_format or label_format. Templates that
// call others are refused, since they may do so without end.
func parseTemplate(text string) (*template, error) {
	t := &template{}
	t.regex.spend = t.spend
	funcs := texttemplate.FuncMap{
		"__line__":      func() string { return t.line.text },
		"__timestamp__": func() any { return timeOf(t.line.at) },
		tick:            t.tick,
	}
	for name, f := range templateFuncs(&t.regex) {
		funcs[name] = t.guard(f)
	}
	parsed, err := texttemplate.New("line").Option("missingkey=zero").Funcs(funcs).Parse(text)
	if err != nil {
		return nil, errors.New(clip(strings.TrimPrefix(err.Error(), "template: "), 200))
	}
	if len(parsed.Templates()) > 1 {
		return nil, errors.New("define and block are outside of the subset")
	}
	count, err := texttemplate.New("count").Funcs(funcs).Parse("{{" + tick + "}}")
	if err != nil {
		return nil, err
	}
	if parsed.Tree != nil {
		if err := limitLoops(parsed.Root, count.Root.Nodes[0]); err != nil {
			return nil, err
		}
	}
	t.t = parsed
	return t, nil
}

// limitLoops puts a call that counts into the body of each range.
func limitLoops(list *parse.ListNode, count parse.Node) error {
	if list == nil {
		return nil
	}
	for _, node := range list.Nodes {
		var err error
		switch n := node.(type) {
		case *parse.TemplateNode:
			return errors.New("template is outside of the subset")
		case *parse.RangeNode:
			err = errors.Join(limitLoops(n.List, count), limitLoops(n.ElseList, count))
			n.List.Nodes = append([]parse.Node{count}, n.List.Nodes...)
		case *parse.IfNode:
			err = errors.Join(limitLoops(n.List, count), limitLoops(n.ElseList, count))
		case *parse.WithNode:
			err = errors.Join(limitLoops(n.List, count), limitLoops(n.ElseList, count))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *template) tick() (string, error) {
	if t.loops++; t.loops > maxTemplateLoops {
		return "", errTemplateLoops
	}
	return "", nil
}

// values are the labels of a line, for templates.
func (l *line) values() map[string]string {
	out := make(map[string]string, len(l.labels))
	for _, label := range l.labels {
		out[label.name] = label.value
	}
	return out
}

func (t *template) execute(l *line, values map[string]string) (string, error) {
	t.line, t.loops, t.work = l, 0, 0
	t.out.b.Reset()
	if err := t.t.Execute(&t.out, values); err != nil {
		return "", err
	}
	return t.out.b.String(), nil
}

// boundedText refuses more than maxTemplateOutput.
type boundedText struct{ b strings.Builder }

func (t *boundedText) Write(p []byte) (int, error) {
	if t.b.Len()+len(p) > maxTemplateOutput {
		return 0, errTemplateOutput
	}
	return t.b.Write(p)
}
