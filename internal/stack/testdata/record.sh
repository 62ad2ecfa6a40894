#!/bin/bash
# Records the stacks again: see README.md. TSC is a compiler of TypeScript.
set -euo pipefail
cd "$(dirname "$0")"
: "${TSC:?set it to a folder of the package typescript}"
export TSC
here=$PWD
unshare -rm bash -euo pipefail -c '
  here=$1
  mount -t tmpfs none /srv
  mkdir -p /srv/shop/src /srv/shop/node_modules/package/lib
  cd /srv/shop
  cp "$here"/scripts/*.js "$here"/scripts/*.mjs "$here"/scripts/*.py .
  cp "$here"/scripts/typed.ts src/
  echo "module.exports = require(\"./lib/deep.js\");" > node_modules/package/index.js
  echo "module.exports = () => { throw new Error(\"in a package\"); };" > node_modules/package/lib/deep.js
  node "$TSC/lib/tsc.js" --sourceMap --target es2022 --module commonjs --outDir dist src/typed.ts || true
  node calls.js > "$here/node.txt"
  node dist/typed.js > "$here/compiled.txt"
  node --enable-source-maps dist/typed.js > "$here/mapped.txt"
  python3 tracebacks.py | sed "s|\"/.*/lib/python3|\"/usr/lib/python3|" > "$here/python.txt"
' record "$here"
