#!/bin/bash
# Records the logs again. MODULES are folders with the packages express (5), express4 (express 4 under that name), pino and winston.
set -euo pipefail
cd "$(dirname "$0")"
: "${MODULES:?set it to folders node_modules, separated by colons}"
export MODULES NODE_PATH=$MODULES
here=$PWD
unshare -rmn bash -euo pipefail -c '
  here=$1
  ip link set lo up
  mount -t tmpfs none /srv
  mkdir -p /srv/shop/node_modules
  cd /srv/shop
  cp "$here"/scripts/* .
  for folder in ${MODULES//:/ }; do cp -r "$folder"/. node_modules/; done
  for script in *.js *.mjs; do
    [ "$script" = broken.js ] && continue
    node "$script" > "$here/${script%.*}.txt" 2>&1 || true
  done
  cp same.json "$here"
  for script in *.py; do python3 "$script" 2>&1 | sed "s|\"/.*/lib/python3|\"/usr/lib/python3|" > "$here/${script%.*}.txt" || true; done
' record "$here"
