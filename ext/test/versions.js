'use strict'

// Runs the unit tests on every Node in tools/node: `node test/versions.js [16 18 …]`. With --frameworks those too.
const { spawnSync } = require('child_process')
const fs = require('fs')
const path = require('path')

const folder = path.join(__dirname, '../../tools/node/node_modules')
if (!fs.existsSync(folder)) {
  console.error('no Node versions in tools/node: run `npm ci --ignore-scripts --no-audit --no-fund` there')
  process.exit(1)
}
const asked = process.argv.slice(2).filter((arg) => !arg.startsWith('-'))
const folders = process.argv.includes('--frameworks') ? ['unit', 'frameworks'] : ['unit']
const files = folders.flatMap((name) => fs.readdirSync(path.join(__dirname, name))
  .filter((file) => file.endsWith('.test.js'))
  .map((file) => path.join(__dirname, name, file)))

let passed = 0
let failed = 0
for (const name of fs.readdirSync(folder).filter((entry) => /^node\d+$/.test(entry)).sort()) {
  if (asked.length > 0 && !asked.includes(name.slice(4))) continue
  const node = path.join(folder, name, 'bin/node')
  const run = spawnSync(node, ['--test', ...files], { encoding: 'utf8', timeout: 300000, maxBuffer: 1 << 26 })
  const count = (what) => Number((new RegExp(`^[#ℹ] ${what} (\\d+)`, 'm').exec(run.stdout) || [0, 0])[1])
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()
  console.log(`${version}: ${count('pass')} passed, ${count('fail')} failed, ${count('skipped')} skipped`)
  if (run.status !== 0) console.log(run.stdout + run.stderr)
  passed += count('pass')
  failed += run.status === 0 ? 0 : Math.max(1, count('fail'))
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed === 0 && passed > 0 ? 0 : 1)
