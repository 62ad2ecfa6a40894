package lokiapi

import (
	"net/http"

	"github.com/pm25/pm25/internal/logql"
)

// queryRange answers with lines, or with samples for each step.
func (a *API) queryRange(r *http.Request) (*answer, error) {
	expr, err := logql.Parse(r.Form.Get("query"))
	if err != nil {
		return nil, err
	}
	p, err := a.rangeParams(r.Form)
	if err != nil {
		return nil, err
	}
	if _, lines := expr.(*logql.LogExpr); !lines {
		align(&p)
	}
	result, err := a.engine.Range(r.Context(), expr, p)
	return a.result(r, result, err)
}

// align moves the steps to multiples of the step, the first back and the last
// ahead. Loki does so wherever it splits queries, which is its default.
func align(p *logql.Params) {
	step := int64(p.Step)
	p.Start -= p.Start % step
	if rest := p.End % step; rest > 0 {
		p.End += step - rest
	}
}

// query answers with samples for one moment.
func (a *API) query(r *http.Request) (*answer, error) {
	expr, err := logql.Parse(r.Form.Get("query"))
	if err != nil {
		return nil, err
	}
	at, err := parseTime(r.Form.Get("time"), a.o.Now())
	if err != nil {
		return nil, err
	}
	if _, err = a.lines(r.Form); err != nil {
		return nil, err
	}
	if _, err = backward(r.Form.Get("direction")); err != nil {
		return nil, err
	}
	result, err := a.engine.Instant(r.Context(), expr, at.UnixNano())
	return a.result(r, result, err)
}

func (a *API) result(r *http.Request, result *logql.Result, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	out := answer{max: a.o.MaxResponse}
	out.result(result, categorized(r))
	return &out, nil
}

// formatQuery writes a query in its canonical form.
func (a *API) formatQuery(r *http.Request) (*answer, error) {
	expr, err := logql.Parse(r.Form.Get("query"))
	if err != nil {
		return nil, err
	}
	return encode(map[string]any{"status": "success", "data": expr.String()})
}
