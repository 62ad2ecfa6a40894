//go:build routes

package routes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// built are the apps of frameworks that have to be built before they run; `make
// routes` does that.
func built(t testing.TB) []framework {
	next := extPath("test/slow-frameworks/node_modules/next/dist/bin/next")
	site := extPath("test/slow-frameworks/next-app")
	requests := nextRequests(asset(t, filepath.Join(site, ".next", "static", "chunks")))
	env := map[string]string{"NEXT_TELEMETRY_DISABLED": "1", "NODE_ENV": "production", "HOSTNAME": "127.0.0.1", "HOST": "127.0.0.1"}
	nuxt := extPath("test/slow-frameworks/nuxt-app/.output")
	return []framework{
		{
			name: "Next 15, `next start`", modules: "CommonJS", script: next, env: env, requests: requests,
			args: func(port int) []string { return []string{"start", site, "-p", fmt.Sprint(port), "-H", "127.0.0.1"} },
		},
		{
			name: "Next 15, standalone", modules: "CommonJS", script: filepath.Join(site, ".next", "standalone", "next-app", "server.js"),
			env: env, requests: requests,
		},
		{
			name: "Nuxt 3 on Nitro", modules: "ESM", script: filepath.Join(nuxt, "server", "index.mjs"),
			env: env, requests: nuxtRequests(asset(t, filepath.Join(nuxt, "public", "_nuxt"))),
		},
	}
}

// asset is the name of a script in a folder of a built app.
func asset(t testing.TB, folder string) string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatalf("%v: make routes builds it", err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".js") {
			return f.Name()
		}
	}
	t.Fatalf("no script in %s", folder)
	return ""
}

func nextRequests(chunk string) []request {
	get := func(path string, times uint64, route, code string) request {
		return request{"GET", path, times, key{"GET", route, code}}
	}
	return []request{
		// The app router: pages and route handlers.
		get("/?token=canary", 2, "/", "2xx"),
		{"HEAD", "/", 1, key{"HEAD", "/", "2xx"}},
		get("/blog/post-1?token=canary", 2, "/blog/[slug]", "2xx"),
		get("/blog/post-2", 1, "/blog/[slug]", "2xx"),
		get("/api/items/1", 2, "/api/items/[id]", "2xx"),
		get("/api/items/late", 2, "/api/items/[id]", "2xx"),
		get("/api/items/fail", 1, "/api/items/[id]", "5xx"),
		get("/api/items/slow", 1, "/api/items/[id]", "aborted"),
		{"POST", "/api/items/1", 1, key{"POST", "/api/items/[id]", "4xx"}},
		// The pages router.
		get("/old/name-1", 2, "/old/[name]", "2xx"),
		get("/api/legacy/1", 2, "/api/legacy/[id]", "2xx"),
		{"POST", "/api/legacy/2", 1, key{"POST", "/api/legacy/[id]", "2xx"}},
		get("/nope/1", 1, "(unmatched)", "4xx"),
		get("/nope/2?token=canary", 1, "(unmatched)", "4xx"),
		get("/hello.txt", 1, "(static)", "2xx"),
		get("/_next/static/chunks/"+chunk, 2, "(static)", "2xx"),
	}
}

// nuxtRequests: Nitro is one bundle whose router nothing outside can ask, so
// paths are folded.
func nuxtRequests(script string) []request {
	get := func(path string, times uint64, route, code string) request {
		return request{"GET", path, times, key{"GET", route, code}}
	}
	return []request{
		get("/?token=canary", 2, "/", "2xx"),
		{"HEAD", "/", 1, key{"HEAD", "/", "2xx"}},
		get("/blog/1", 2, "/blog/:id", "2xx"),
		get("/blog/2?token=canary", 1, "/blog/:id", "2xx"),
		get("/api/items/1", 2, "/api/items/:id", "2xx"),
		get("/api/items/250", 2, "/api/items/:id", "2xx"),
		get("/api/items/500", 1, "/api/items/:id", "5xx"),
		get("/api/items/999", 1, "/api/items/:id", "aborted"),
		{"POST", "/api/items/1", 1, key{"POST", "(unmatched)", "4xx"}}, // a 404: the route is one of GET
		get("/nope/1", 1, "(unmatched)", "4xx"),
		get("/_nuxt/"+script, 2, "(static)", "2xx"),
	}
}
