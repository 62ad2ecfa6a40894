package uptest

import (
	"strings"
	"testing"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/pm2test"
)

// TestExternalMetrics: what rules name of Prometheus and Alertmanager is what the
// embedded ones say of themselves.
func TestExternalMetrics(t *testing.T) {
	t.Parallel()
	d := pm2test.New(t, pm2test.Options{})
	u := Start(t, Options{Program: programs.Program(t, "pm25"), Homes: []string{"shop=" + d.Home()}})
	u.WaitValue(readyWithin, 1, `up{job="pm25"}`)
	_, page, err := u.Get("/metrics")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range catalog.External() {
		if m.Name == "up" { // made by the one who scrapes
			continue
		}
		_, line, found := strings.Cut(page, "\n"+m.Name)
		line, _, _ = strings.Cut(line, "\n")
		if !found {
			t.Errorf("%s is not there", m.Name)
		}
		for _, l := range m.LabelNames() {
			if !strings.Contains(line, l+`="`) {
				t.Errorf("%s%s has no label %s", m.Name, line, l)
			}
		}
	}
	u.Stop()
}
