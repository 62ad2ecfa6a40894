package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/pm25/pm25"

// A pkg is what `go list -json` says of one package, as far as these tests care.
type pkg struct {
	ImportPath string
	Dir        string
	Standard   bool
	GoFiles    []string
	Imports    []string
	ImportMap  map[string]string
}

// A rule keeps the packages at or below from, and all that they import directly or indirectly, away from forbidden.
// Paths that start with "./" are of this module; others are import paths. Both stand for a package and all below it.
type rule struct {
	name      string
	from      []string
	except    []string // at or below from, but not bound by the rule
	forbidden []string
	why       string
}

var (
	programs = []string{"./cmd"}
	// What is for developers only: no program that ships may hold it.
	development = []string{
		"./internal/agenttest", "./internal/alerts", "./internal/archtest", "./internal/arrivals", "./internal/badnet", "./internal/bench", "./internal/catalog/catalogtest", "./internal/chain", "./internal/composed", "./internal/disktest", "./internal/doctable", "./internal/faults", "./internal/leaks", "./internal/lokiapi/sourcetest", "./internal/lokitest", "./internal/matrix", "./internal/mixedhost", "./internal/notify/robottest",
		"./internal/pictures", "./internal/pm2/pm2fake", "./internal/pm2test", "./internal/proctest", "./internal/promtest", "./internal/routes", "./internal/servertest", "./internal/simagent",
		"./internal/soak", "./internal/storebench",
		"./internal/uptest", "./sessionstore/sessionstoretest", "./examples", "./tools",
	}
	// What sits directly below internal/app.
	parts = []string{"./exporter", "./internal/ship", "./internal/server", "./sessionstore"}
	// What is drawn and alerted on.
	artifacts = []string{"./dashboards", "./rules"}
)

var rules = []rule{
	{
		name:      "programs are the top",
		from:      []string{"."},
		except:    slices.Concat(programs, development),
		forbidden: slices.Concat(programs, development),
		why:       "programs and development packages are imported by nothing that ships",
	},
	{
		name:      "programs hold no development code",
		from:      programs,
		forbidden: development,
		why:       "what starts PM2 or apps is for tests, benchmarks and the demo",
	},
	{
		name:      "the wire format knows nothing above it",
		from:      []string{"./internal/pm2/axon"},
		forbidden: []string{"./"},
		why:       "internal/pm2/axon is a leaf: bytes in, frames out",
	},
	{
		name:      "PM2's client knows nothing above it",
		from:      []string{"./internal/pm2"},
		forbidden: slices.Concat(parts, artifacts, []string{"./internal/app"}),
		why:       "the way is internal/app → exporter, ship, server, sessionstore → internal/pm2 → internal/pm2/axon",
	},
	{
		name:      "the parts do not know who wires them",
		from:      parts,
		forbidden: slices.Concat(artifacts, []string{"./internal/app"}),
		why:       "internal/app imports the parts, never the reverse; dashboards and rules belong to cmd",
	},
	{
		name:      "the exporter stands alone",
		from:      []string{"./exporter"},
		forbidden: []string{"./internal/ship", "./internal/server", "./sessionstore"},
		why:       "the exporter must work, and be importable, without the server side",
	},
	{
		name:      "shipping stands alone",
		from:      []string{"./internal/ship"},
		forbidden: []string{"./exporter", "./internal/server", "./sessionstore"},
		why:       "the shipper reaches a server over HTTP only",
	},
	{
		name:      "the store stands alone",
		from:      []string{"./sessionstore"},
		forbidden: []string{"./exporter", "./internal/ship", "./internal/server"},
		why:       "the server uses the store, never the reverse",
	},
	{
		name:      "the server does not measure",
		from:      []string{"./internal/server"},
		forbidden: []string{"./exporter", "./internal/ship"},
		why:       "the server half runs where there is no PM2",
	},
	{
		name:      "dashboards and rules know only the catalog",
		from:      artifacts,
		forbidden: slices.Concat(parts, []string{"./internal/app", "./internal/pm2", "./internal/procfs"}),
		why:       "the catalog is the only bridge between what is measured and what is drawn or alerted on",
	},
	{
		name:      "routing is text",
		from:      []string{"./rules/routing"},
		forbidden: []string{"./internal", "github.com/prometheus/alertmanager", "net/http", "os/exec"},
		why:       "what writes Alertmanager's configuration is pure, so that who only writes it needs no Alertmanager",
	},
	{
		name: "what reads errors is pure",
		from: []string{
			"./internal/record", "./internal/stack", "./internal/fingerprint", "./internal/scrub", "./internal/stacklog", "./internal/logring",
			"./internal/sourcemap",
		},
		forbidden: []string{"./", "net/http", "os/exec"},
		why:       "they judge foreign bytes: what they know of the host is given to them",
	},
	{
		name:      "the catalog is a leaf",
		from:      []string{"./internal/catalog"},
		forbidden: []string{"./"},
		why:       "both sides of the bridge import it, so it can import neither",
	},
	{
		name: "the agent stays small",
		from: []string{"./cmd/pm25-agent"},
		forbidden: slices.Concat(artifacts, []string{
			"./internal/server",
			"./sessionstore",
			// Not database/sql: client_golang brings its interfaces, and without
			// a driver they reach nothing.
			"github.com/grafana/grafana-foundation-sdk",
			"github.com/mattn/go-sqlite3",
			"github.com/ncruces/go-sqlite3",
			"github.com/jackc/pgx",
			"github.com/prometheus/alertmanager",
			"github.com/prometheus/prometheus",
			"modernc.org/sqlite",
		}),
		why: "the agent runs on every host with the rights of PM2's user: no server side, no Prometheus, no database",
	},
}

func TestImports(t *testing.T) {
	pkgs := listPackages(t)
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, chain := range violations(pkgs, r) {
				t.Errorf("%s\n\t%s", r.why, strings.Join(chain, "\n\t  imports "))
			}
		})
	}
}

// TestViolations makes sure that the rules can fail: on a tree that obeys them, TestImports cannot tell.
func TestViolations(t *testing.T) {
	pkgs := map[string]*pkg{}
	add := func(path string, imports ...string) {
		pkgs[path] = &pkg{ImportPath: path, Imports: imports}
	}
	add(module+"/cmd/pm25-agent", module+"/internal/app", "example.com/lib")
	add(module+"/internal/app", module+"/exporter")
	add(module+"/exporter", module+"/internal/pm2")
	add(module+"/internal/pm2", module+"/internal/pm2/axon")
	add(module + "/internal/pm2/axon")
	add(module + "/internal/pm2extra")
	add("example.com/lib", "example.com/lib/deep")
	add("example.com/lib/deep", "github.com/prometheus/prometheus/promql")
	add("github.com/prometheus/prometheus/promql")

	tests := []struct {
		name string
		rule rule
		want []string
	}{
		{
			name: "obeyed",
			rule: rule{from: []string{"./internal/pm2"}, forbidden: []string{"./internal/app", "./exporter"}},
		},
		{
			name: "through other modules",
			rule: rule{from: []string{"./cmd/pm25-agent"}, forbidden: []string{"github.com/prometheus/prometheus"}},
			want: []string{module + "/cmd/pm25-agent > example.com/lib > example.com/lib/deep > github.com/prometheus/prometheus/promql"},
		},
		{
			name: "a chain ends at the first forbidden package",
			rule: rule{from: []string{"./internal/app"}, forbidden: []string{"./internal/pm2"}},
			want: []string{module + "/internal/app > " + module + "/exporter > " + module + "/internal/pm2"},
		},
		{
			name: "a package may import what is below itself",
			rule: rule{from: []string{"./internal/pm2"}, forbidden: []string{"./"}},
			want: nil,
		},
		{
			name: "a name is not a prefix",
			rule: rule{from: []string{"./internal/pm2"}, forbidden: []string{"./internal/pm2ext"}},
		},
		{
			name: "exceptions",
			rule: rule{from: []string{"."}, except: []string{"./cmd", "./internal/app"}, forbidden: []string{"./cmd", "./internal/app"}},
		},
		{
			name: "excepted packages stay forbidden to the others",
			rule: rule{from: []string{"."}, except: []string{"./internal/pm2"}, forbidden: []string{"./internal/pm2"}},
			want: []string{
				module + "/cmd/pm25-agent > " + module + "/internal/app > " + module + "/exporter > " + module + "/internal/pm2",
				module + "/exporter > " + module + "/internal/pm2",
				module + "/internal/app > " + module + "/exporter > " + module + "/internal/pm2",
			},
		},
		{
			name: "missing packages",
			rule: rule{from: []string{"./rules"}, forbidden: []string{"./dashboards"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, chain := range violations(pkgs, test.rule) {
				got = append(got, strings.Join(chain, " > "))
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("violations = %q, want %q", got, test.want)
			}
		})
	}
}

// violations returns, for each package that breaks r, a shortest import chain to each forbidden package that it reaches.
func violations(pkgs map[string]*pkg, r rule) [][]string {
	var chains [][]string
	for _, path := range sortedKeys(pkgs) {
		if !bound(path, r) {
			continue
		}
		// Breadth first, so that the chain shown is a shortest one.
		cameFrom := map[string]string{path: ""}
		for queue := []string{path}; len(queue) > 0; queue = queue[1:] {
			at := queue[0]
			if at != path && matchesAny(at, r.forbidden) && !bound(at, r) {
				chains = append(chains, chainTo(cameFrom, at))
				continue // what a forbidden package imports is no news
			}
			p := pkgs[at]
			if p == nil {
				continue
			}
			for _, next := range p.Imports {
				if mapped, ok := p.ImportMap[next]; ok {
					next = mapped
				}
				if _, seen := cameFrom[next]; !seen {
					cameFrom[next] = at
					queue = append(queue, next)
				}
			}
		}
	}
	return chains
}

// bound says whether r is about path. Packages that a rule is about may import each other.
func bound(path string, r rule) bool {
	return matchesAny(path, r.from) && !matchesAny(path, r.except)
}

func chainTo(cameFrom map[string]string, path string) []string {
	var chain []string
	for ; path != ""; path = cameFrom[path] {
		chain = append(chain, path)
	}
	slices.Reverse(chain)
	return chain
}

func matchesAny(path string, patterns []string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		if rest, ours := strings.CutPrefix(pattern, "."); ours {
			pattern = strings.TrimSuffix(module+rest, "/")
		}
		return path == pattern || strings.HasPrefix(path, pattern+"/")
	})
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

// listPackages returns all packages of this module and all that they import, without those that only tests import.
func listPackages(t *testing.T) map[string]*pkg {
	t.Helper()
	touchTree(t)
	out := goTool(t, "list", "-e", "-deps", "-json=ImportPath,Dir,Standard,GoFiles,Imports,ImportMap", "./...")
	pkgs := map[string]*pkg{}
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var p pkg
		err := decoder.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("decode output of go list: %v", err)
		}
		pkgs[p.ImportPath] = &p
	}
	if pkgs[module+"/internal/archtest"] == nil {
		t.Fatal("go list does not even list this package: nothing was checked")
	}
	return pkgs
}

// touchTree looks into every folder of the module. Go's test cache does not see what go list reads, and would go on
// answering "ok (cached)" after an import was added.
func touchTree(t *testing.T) {
	t.Helper()
	top := root(t)
	err := filepath.WalkDir(top, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // other tests may be making and removing files
		}
		if err == nil && d.IsDir() && path != top && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatalf("walk the module: %v", err)
	}
}

func goTool(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = root(t)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// root finds the module's folder. Tests run in their package's folder; runtime.Caller would not do, as -trimpath cuts
// what it returns.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
}
