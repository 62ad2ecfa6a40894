'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { start, counts, register } = require('../helpers/child.js')
const { request, sleep } = require('../helpers/requests.js')

const script = path.join(__dirname, 'apps/typed.ts')
const modules = path.join(__dirname, 'node_modules')
const [major, minor] = process.versions.node.split('.').map(Number)
const strips = major > 22 || (major === 22 && minor >= 18)

const ways = {
  'node --import tsx': { execArgv: ['--require', register, '--import', path.join(modules, 'tsx/dist/loader.mjs')], skip: major >= 18 ? false : 'this Node has no --import' },
  'node --require tsx/cjs': { execArgv: ['--require', register, '--require', path.join(modules, 'tsx/dist/cjs/index.cjs')] },
  // tsx starts the app as its child, and passes on what it says.
  tsx: { execArgv: [path.join(modules, 'tsx/dist/cli.mjs'), '--require', register] },
  'ts-node': { execArgv: ['--require', register, '--require', path.join(modules, 'ts-node/register/transpile-only.js')], env: { TS_NODE_COMPILER_OPTIONS: '{"module":"commonjs","esModuleInterop":true}', TS_NODE_SKIP_PROJECT: 'true' } },
  swc: { execArgv: ['--require', register, '--require', path.join(modules, '@swc-node/register/index.js')], env: { SWC_NODE_PROJECT: '/nonexistent.json' } },
  'Node itself': { execArgv: ['--require', register], skip: strips ? false : 'this Node does not run TypeScript' }
}

for (const [name, way] of Object.entries(ways)) {
  test(`TypeScript with ${name}`, { timeout: 30000, skip: way.skip }, async () => {
    const app = start(script, way)
    const port = await app.port
    await request(port, 'GET', '/users/1')
    await sleep(50)
    await app.stop()
    await sleep(50)
    assert.deepEqual(counts(app.reports), { 'GET /users/:id 2xx': 1 })
    assert.equal(new Set(app.reports.map((r) => r.pid)).size, 1)
  })
}
