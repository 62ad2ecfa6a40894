//go:build routes

package routes

import "path/filepath"

// typescript are the ways in which an app in TypeScript is run without being
// compiled before. Node.js 24 does it by itself; on one that does not, PM2 has
// no cluster mode for it.
func typescript(byNode bool) []framework {
	modules := func(path string) string { return extPath(filepath.Join("test/frameworks/node_modules", path)) }
	way := func(name, modules string, env map[string]string, nodeArgs ...string) framework {
		return framework{
			name: "TypeScript, " + name, modules: modules, script: frameworkApp("typed.ts"), env: env, requests: ids.all(),
			nodeArgs: nodeArgs, extra: map[string]any{"interpreter": "node"}, forkOnly: !byNode,
		}
	}
	tsx := way("tsx as interpreter", "CommonJS", nil) // it runs the app as a child of its own
	tsx.extra, tsx.forkOnly = map[string]any{"interpreter": modules(".bin/tsx")}, true
	all := []framework{
		tsx,
		way("`--import tsx`", "CommonJS", nil, "--import", modules("tsx/dist/loader.mjs")),
		way("`--require tsx/cjs`", "CommonJS", nil, "--require", modules("tsx/dist/cjs/index.cjs")),
		way("ts-node", "CommonJS", nil, "--require", appPath("ts-node.cjs")),
		way("swc", "CommonJS", map[string]string{"SWC_NODE_PROJECT": "/nonexistent.json"}, "--require", modules("@swc-node/register/index.js")),
	}
	if byNode {
		all = append(all, way("by Node.js itself", "ESM", nil))
	}
	return all
}
