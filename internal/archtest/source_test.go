package archtest

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// globals are names that reach a process-wide registry or mux, by import path. A package that uses one cannot run twice in
// a process, which `pm25 up` and the tests need.
var globals = map[string][]string{
	"net/http": {"DefaultServeMux", "Handle", "HandleFunc"},
	"github.com/prometheus/client_golang/prometheus": {
		"DefaultRegisterer", "DefaultGatherer", "Register", "MustRegister", "Unregister",
	},
	"github.com/prometheus/client_golang/prometheus/promhttp": {"Handler"},
	"github.com/prometheus/client_golang/prometheus/promauto": {
		"NewCounter", "NewCounterFunc", "NewCounterVec", "NewGauge", "NewGaugeFunc", "NewGaugeVec",
		"NewHistogram", "NewHistogramVec", "NewSummary", "NewSummaryVec", "NewUntypedFunc",
	},
}

// registering are packages that enter themselves into http.DefaultServeMux when imported for their side effect.
var registering = []string{"expvar", "net/http/pprof"}

func TestNoGlobals(t *testing.T) {
	for _, p := range listPackages(t) {
		if !matchesAny(p.ImportPath, []string{"."}) {
			continue
		}
		for _, name := range p.GoFiles {
			file := filepath.Join(p.Dir, name)
			fset := token.NewFileSet()
			f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
			if err != nil {
				// The compiler says it better.
				t.Logf("parse %s: %v", file, err)
				continue
			}
			for _, use := range globalUses(f) {
				t.Errorf("%s: %s: no package of this module uses a global registry or mux", fset.Position(use.pos), use.name)
			}
		}
	}
}

func TestGlobalUses(t *testing.T) {
	tests := []struct {
		name, src string
		want      []string
	}{
		{"mux", `import "net/http"; var m = http.DefaultServeMux`, []string{"net/http.DefaultServeMux"}},
		{"own mux", `import "net/http"; func f() { m := http.NewServeMux(); m.HandleFunc("/", nil) }`, nil},
		{"renamed", `import p "github.com/prometheus/client_golang/prometheus"; func f() { p.MustRegister() }`, []string{"github.com/prometheus/client_golang/prometheus.MustRegister"}},
		{"own registry", `import "github.com/prometheus/client_golang/prometheus"; func f(r prometheus.Registerer) { r.MustRegister() }`, nil},
		{"side effect", `import _ "net/http/pprof"`, []string{"import _ net/http/pprof"}},
		{"shadowed elsewhere", `type t struct{}; func (t) DefaultServeMux() {}; var http t; func f() { http.DefaultServeMux() }`, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f, err := parser.ParseFile(token.NewFileSet(), "x.go", "package x; "+test.src, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, use := range globalUses(f) {
				got = append(got, use.name)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("uses = %q, want %q", got, test.want)
			}
		})
	}
}

type use struct {
	name string
	pos  token.Pos
}

func globalUses(f *ast.File) []use {
	var uses []use
	imported := map[string]string{} // local name to import path
	for _, spec := range f.Imports {
		importPath, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			continue
		}
		local := path.Base(importPath)
		if spec.Name != nil {
			local = spec.Name.Name
		}
		if local == "_" && slices.Contains(registering, importPath) {
			uses = append(uses, use{"import _ " + importPath, spec.Pos()})
		}
		imported[local] = importPath
	}
	ast.Inspect(f, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		x, ok := selector.X.(*ast.Ident)
		if !ok {
			return true
		}
		if importPath := imported[x.Name]; slices.Contains(globals[importPath], selector.Sel.Name) {
			uses = append(uses, use{importPath + "." + selector.Sel.Name, selector.Pos()})
		}
		return true
	})
	return uses
}

// TestGoModIsInstallable: `go install github.com/pm25/pm25/cmd/…@version` refuses a module with replace or exclude.
func TestGoModIsInstallable(t *testing.T) {
	var mod struct {
		Module           struct{ Path string }
		Exclude, Replace []json.RawMessage
	}
	if err := json.Unmarshal([]byte(goTool(t, "mod", "edit", "-json")), &mod); err != nil {
		t.Fatal(err)
	}
	if mod.Module.Path != module {
		t.Errorf("module = %q, want %q", mod.Module.Path, module)
	}
	for _, directive := range slices.Concat(mod.Exclude, mod.Replace) {
		t.Errorf("go.mod has a replace or exclude, so users could not `go install`: %s", strings.Join(strings.Fields(string(directive)), ""))
	}
}
