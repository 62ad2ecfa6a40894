package stack

import (
	"net/url"
	"path"
	"strings"

	"github.com/pm25/pm25/internal/record"
)

// Place returns a file as records name it, given as a runtime or a source map
// names it, and whether the app's people wrote it: nothing of Node, Python, a
// bundler or pm25-ext, and no installed package.
func Place(file, root string) (name string, inApp bool) {
	name, bundled := unbundle(file)
	if rest, ok := strings.CutPrefix(name, "file://"); ok {
		name = rest
		if decoded, err := url.PathUnescape(rest); err == nil {
			name = decoded
		}
	}
	name = clean(name, record.MaxMessage)
	if strings.HasPrefix(name, "/") {
		name = path.Clean(name)
	}
	inApp = written(name, bundled)
	if root = strings.TrimSuffix(root, "/"); root != "" {
		if below, ok := strings.CutPrefix(name, root+"/"); ok {
			name = below
		}
	}
	return name, inApp
}

func setPlace(f *record.Frame, file, root string) {
	f.File, f.InApp = Place(file, root)
}

// unbundle takes the name of a file out of a bundler's URL:
// webpack://shop/./src/x.ts?4f3a is src/x.ts.
func unbundle(file string) (name string, bundled bool) {
	scheme, rest, ok := strings.Cut(file, "://")
	switch scheme {
	case "webpack", "webpack-internal", "turbopack", "rsc", "rspack":
	default:
		return file, false
	}
	if !ok {
		return file, false
	}
	if at := strings.LastIndexByte(rest, '?'); at > 0 {
		rest = rest[:at]
	}
	// The bundle's name, often empty, stands where a URL has its host.
	_, name, ok = strings.Cut(rest, "/")
	if !ok {
		return rest, true
	}
	if strings.HasPrefix(name, "/") { // webpack:////srv/app/src/x.ts
		return path.Clean(name), true
	}
	// Not above the place where it was built, wherever that was.
	return strings.TrimPrefix(path.Clean("/"+name), "/"), true
}

// written tells what the app's people wrote from the rest.
func written(name string, bundled bool) bool {
	switch {
	case name == "" || name[0] == '<': // <anonymous>, <frozen importlib._bootstrap>, <stdin>
		return false
	case strings.HasPrefix(name, "node:"), strings.HasPrefix(name, "internal/"), strings.HasPrefix(name, "evalmachine."):
		return false
	case strings.HasPrefix(name, "wasm://"), strings.HasPrefix(name, "native "):
		return false
	case bundled && (strings.HasPrefix(name, "webpack/") || strings.HasPrefix(name, "external ")):
		return false
	case strings.HasPrefix(name, "node_modules/"), strings.Contains(name, "/node_modules/"):
		return false
	case strings.Contains(name, "/pm25/ext/lib/"), strings.Contains(name, "/pm25-ext/lib/"): // what wraps the app's own calls
		return false
	case strings.HasPrefix(name, "site-packages/"), strings.Contains(name, "/site-packages/"), strings.Contains(name, "/dist-packages/"):
		return false
	case pythonLibrary(name):
		return false
	}
	return !oldNodeModule(name)
}

// pythonLibrary is true for /usr/lib/python3.11/json/decoder.py.
func pythonLibrary(name string) bool {
	_, rest, ok := strings.Cut(name, "/lib/python")
	return ok && rest != "" && rest[0] >= '2' && rest[0] <= '9' && strings.HasSuffix(name, ".py")
}

// oldNodeModule is true for the modules of Node before 16, which had no node: yet.
func oldNodeModule(name string) bool {
	module, ok := strings.CutSuffix(name, ".js")
	if !ok || strings.ContainsAny(module, "/\\") {
		return false
	}
	if module != "" && module[0] == '_' {
		return true
	}
	switch module {
	case "assert", "async_hooks", "bootstrap_node", "buffer", "child_process", "cluster", "crypto", "dgram", "dns", "domain", "events", "fs",
		"http", "http2", "https", "module", "net", "path", "perf_hooks", "process", "punycode", "querystring", "readline", "repl", "stream",
		"string_decoder", "timers", "tls", "tty", "url", "util", "v8", "vm", "worker_threads", "zlib":
		return true
	}
	return false
}
