package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pm25/pm25/internal/catalog"
	"github.com/pm25/pm25/internal/ship"
)

func TestTheCatalogNamesWhatTheShipperCounts(t *testing.T) {
	for what, diff := range map[string]string{
		"kinds":        cmp.Diff(texts(ship.Kinds()), catalog.RecordKinds()),
		"reasons":      cmp.Diff(texts(ship.Reasons()), catalog.ShipDropReasons()),
		"failures":     cmp.Diff(texts(ship.Failures()), catalog.ShipFailures()),
		"dead letters": cmp.Diff(texts(ship.LetterReasons()), catalog.DeadLetterReasons()),
	} {
		if diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
}

func texts[S ~string](in []S) []string {
	var out []string
	for _, s := range in {
		out = append(out, string(s))
	}
	return out
}

func TestFlagsThatDoNothingAreRefused(t *testing.T) {
	for flag, o := range map[string]ShipOptions{
		"--server.token-file": {TokenFile: "t"}, "--server.ca-file": {CAFile: "c"},
		"--server.insecure": {Insecure: true}, "--web.advertise-address": {Advertise: "a:1"},
	} {
		if err := o.validate(); err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("%s: %v", flag, err)
		}
	}
	if err := (ShipOptions{Host: "h", Dir: "d"}).validate(); err != nil { // of use, or harmless
		t.Error(err)
	}
}
