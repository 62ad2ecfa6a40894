#!/bin/bash
# Compiles and records again: see README.md. MODULES is a folder with the packages typescript, esbuild and @swc/core.
set -euo pipefail
cd "$(dirname "$0")"
: "${MODULES:?set it to a folder node_modules}"
export MODULES
unshare -rm bash -euo pipefail -c '
  here=$1
  mount -t tmpfs none /srv
  mkdir /srv/shop
  cp -r "$here/app/src" /srv/shop/
  cd /srv/shop
  esbuild="$MODULES/esbuild/bin/esbuild"
  node "$MODULES/typescript/lib/tsc.js" --sourceMap --target es2022 --module commonjs --strict --outDir tsc src/main.ts || true
  node "$MODULES/typescript/lib/tsc.js" --inlineSourceMap --inlineSources --target es5 --lib es2022,dom --module commonjs --outDir inline src/main.ts || true
  "$esbuild" src/main.ts --bundle --minify --platform=node --sourcemap --outfile=esbuild/main.js --log-level=warning
  "$esbuild" src/main.ts --bundle --platform=node --sourcemap=external --sources-content=false --outfile=nocomment/main.js --log-level=warning
  mkdir swc
  node -e "
    const swc = require(process.env.MODULES + \"/@swc/core\"), fs = require(\"fs\");
    for (const name of [\"cart\", \"main\"]) {
      const out = swc.transformFileSync(\"src/\" + name + \".ts\", { sourceMaps: true, sourceFileName: \"../src/\" + name + \".ts\", jsc: { parser: { syntax: \"typescript\" }, target: \"es2022\" }, module: { type: \"commonjs\" } });
      fs.writeFileSync(\"swc/\" + name + \".js\", out.code + \"\n//# sourceMappingURL=\" + name + \".js.map\n\");
      fs.writeFileSync(\"swc/\" + name + \".js.map\", out.map);
    }"
  for kind in tsc inline esbuild nocomment swc; do
    rm -rf "$here/app/$kind"; cp -r $kind "$here/app/$kind"
    node $kind/main.js > "$here/$kind.txt"
  done
  node --enable-source-maps tsc/main.js > "$here/expected.txt"
' record "$PWD"
