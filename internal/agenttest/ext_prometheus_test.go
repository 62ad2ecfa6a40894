package agenttest

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/prometheus/prometheus/model/exemplar"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// prometheusReads hands an answer to Prometheus' own parser and returns what
// it finds of the requests of an app: valid native histograms and their
// exemplars, and the count of the classic one.
func (a *agent) prometheusReads(app string) (native uint64, exemplars int, classic float64) {
	a.t.Helper()
	code, body, err := a.try("/metrics", http.Header{"Accept": {protobuf}})
	if err != nil || code != http.StatusOK {
		a.t.Fatalf("%d, %v", code, err)
	}
	p, err := textparse.New([]byte(body), protobuf, labels.NewSymbolTable(), textparse.ParserOptions{KeepClassicOnClassicAndNativeHistograms: true})
	if err != nil {
		a.t.Fatal(err)
	}
	for {
		entry, err := p.Next()
		if errors.Is(err, io.EOF) {
			return native, exemplars, classic
		}
		if err != nil {
			a.t.Fatalf("Prometheus can not read it: %v", err)
		}
		var l labels.Labels
		switch entry {
		case textparse.EntryHistogram:
			p.Labels(&l)
			_, _, h, _ := p.Histogram()
			if err := h.Validate(); err != nil {
				a.t.Errorf("%s: %v", l, err)
			}
			if l.Get("app") != app {
				continue
			}
			native += h.Count
			for e := (exemplar.Exemplar{}); p.Exemplar(&e); e = (exemplar.Exemplar{}) {
				if e.HasTs && e.Labels.Get("record_id") != "" {
					exemplars++
				}
			}
		case textparse.EntrySeries:
			p.Labels(&l)
			_, _, v := p.Series()
			if strings.HasSuffix(l.Get("__name__"), "duration_seconds_bucket") && l.Get("app") == app && l.Get("le") == "+Inf" && l.Get("route") != "" {
				classic += v
			}
		}
	}
}
