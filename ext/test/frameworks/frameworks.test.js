'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { start, counts, register } = require('../helpers/child.js')
const { known, expected, request, sleep } = require('../helpers/requests.js')
const { checkBuckets, checkNoQuery } = require('../helpers/check.js')

const alias = path.join(__dirname, '../helpers/alias.cjs')
const execArgv = ['--require', alias, '--require', register]
const app = (name) => path.join(__dirname, 'apps', name)
const braces = { user: '/users/{id}', item: '/api/v1/orders/{order}/items/{item}' }

const frameworks = [
  { name: 'express 4', script: 'express.js', env: { EXT_TEST_ALIAS: 'express=express4' } },
  { name: 'express 5', script: 'express.js' },
  { name: 'fastify 4', script: 'fastify.js', env: { EXT_TEST_ALIAS: 'fastify=fastify4' } },
  { name: 'fastify 5', script: 'fastify.js', since: 20, env: { EXT_TEST_ALIAS: 'fastify=fastify5' } },
  { name: 'koa 2', script: 'koa.js' },
  { name: 'koa 3', script: 'koa.js', since: 18, env: { EXT_TEST_ALIAS: 'koa=koa3' } },
  { name: 'hapi', script: 'hapi.js', expected: braces },
  { name: 'restify 11', script: 'restify.js', env: { EXT_TEST_ALIAS: 'restify=restify11' }, until: 22 },
  { name: 'restify 12', script: 'restify.js', since: 20 },
  { name: 'nest on express', script: 'nest.js' },
  { name: 'nest on fastify', script: 'nest.js', since: 18, env: { NEST_PLATFORM: 'fastify' } },
  { name: 'bare http', script: 'bare.js', expected: { user: '/users/:id', item: '/api/v1/orders/:id/items/:id' }, handled: 0 }
]

const major = Number(process.versions.node.split('.')[0])

for (const framework of frameworks) {
  const { since = 0, until = Infinity } = framework
  const skip = major >= since && major <= until ? false : `it does not run on Node ${major}`
  test(`${framework.name}: routes, classes and handled errors`, { timeout: 30000, skip }, async () => {
    const child = start(app(framework.script), { execArgv, env: framework.env })
    try {
      await known(await child.port)
    } finally {
      await child.stop()
    }
    assert.deepEqual(counts(child.reports), expected(framework.expected))
    checkBuckets(child.reports)
    checkNoQuery(child)
    const last = child.reports[child.reports.length - 1]
    assert.equal(last.http.inflight, 0)
    assert.equal(last.failures, undefined, JSON.stringify(last.failures))
    const handled = framework.handled === undefined ? 2 : framework.handled
    assert.equal(last.exceptions.handled, handled)
    assert.deepEqual(child.exceptions.map((e) => [e.kind, e.handled, e.message]).sort(), Array(handled).fill(['handled', true, 'boom']))
    if (handled > 0) assert.deepEqual(child.exceptions.map((e) => e.route.r).sort(), ['/api/v1/fail', '/fail'])
  })
}

test('import of koa', { timeout: 30000 }, async () => {
  const child = start(app('esm.mjs'), { execArgv })
  const port = await child.port
  await request(port, 'GET', '/users/1')
  await request(port, 'GET', '/fail')
  await sleep(50)
  await child.stop()
  assert.deepEqual(counts(child.reports), { 'GET /users/:id 2xx': 1, 'GET /fail 5xx': 1 })
  assert.equal(child.exceptions.length, 1)
})

test('import of express', { timeout: 30000 }, async () => {
  const child = start(app('esm.mjs'), { execArgv, env: { ESM_APP: 'express' } })
  await request(await child.port, 'GET', '/api/v77/fail')
  await sleep(50)
  await child.stop()
  assert.deepEqual(counts(child.reports), { 'GET /api/:version/fail 5xx': 1 })
  assert.equal(child.exceptions.length, 1)
})

test('init() after the imports, without a preload', { timeout: 30000 }, async () => {
  const child = start(app('late.mjs'), { execArgv: [] })
  const port = await child.port
  await request(port, 'GET', '/api/v77/fail')
  await request(port, 'GET', '/koa')
  await sleep(50)
  await child.stop()
  assert.deepEqual(counts(child.reports), { 'GET /api/:version/fail 5xx': 1, 'GET /koa 5xx': 1 })
  assert.equal(child.exceptions.length, 2)
})
