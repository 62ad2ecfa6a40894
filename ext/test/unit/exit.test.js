'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { start, counts } = require('../helpers/child.js')
const { request, sleep } = require('../helpers/requests.js')

const script = path.join(__dirname, 'apps/server.js')
const options = { timeout: 20000 }

async function run (paths, env, execArgv) {
  const app = start(script, { env, execArgv })
  const port = await app.port
  for (const p of paths) await request(port, 'GET', p).catch(() => {})
  await sleep(50)
  return app
}

for (const signal of ['SIGTERM', 'SIGINT']) {
  test(`${signal}: the last report, and death by the signal`, options, async () => {
    const app = await run(['/a', '/a'])
    assert.deepEqual(await app.stop(signal), { code: null, signal })
    assert.deepEqual(counts(app.reports), { 'GET /a 2xx': 2 })
  })
}

test('without the option nothing stands between a signal and the process', options, async () => {
  const app = await run(['/a'], { PM25_EXT_SIGNALS: 'off' })
  assert.deepEqual(await app.stop(), { code: null, signal: 'SIGTERM' })
  assert.equal(app.reports.length, 0)
})

test('an app that handles a signal is left to it, and what it does then counts', options, async () => {
  const app = await run(['/a'], { HANDLER: 'signal' })
  assert.deepEqual(await app.stop(), { code: 0, signal: null })
  assert.deepEqual(counts(app.reports), { 'GET /a 2xx': 1, 'GET /goodbye 2xx': 1 })
})

test('an app that handles a signal does so before the last report is made', options, async () => {
  for (const handler of ['close', 'stay']) {
    const app = await run(['/a'], { HANDLER: handler })
    await app.stop()
    assert.match(app.stdout, /handled after 0 reports/)
    assert.deepEqual(counts(app.reports), { 'GET /a 2xx': 1 }, handler)
  }
})

test('a signal that comes again during the last report does not cut it off', options, async () => {
  const app = await run(['/a'], { HANDLER: 'again' })
  assert.deepEqual(await app.stop(), { code: null, signal: 'SIGTERM' })
  assert.deepEqual(counts(app.reports), { 'GET /a 2xx': 1 })
})

test('a library that looks for other listeners of the signal finds none of ours', options, async () => {
  const app = await run(['/a'], { HANDLER: 'count' })
  assert.deepEqual(await app.stop(), { code: null, signal: 'SIGTERM' })
  assert.match(app.stdout, /others: 0/)
  assert.deepEqual(counts(app.reports), { 'GET /a 2xx': 1 })
})

test('process.exit and process.disconnect', options, async () => {
  const exits = await run(['/a', '/exit'])
  assert.deepEqual(await exits.ended, { code: 3, signal: null })
  assert.deepEqual(counts(exits.reports), { 'GET /a 2xx': 1, 'GET /exit 2xx': 1 })

  const leaves = await run(['/a'])
  leaves.child.send('stop')
  assert.deepEqual(await leaves.ended, { code: 0, signal: null })
  assert.deepEqual(counts(leaves.reports), { 'GET /a 2xx': 1 })
})

// The server is closed before the connection of that client tells that it is.
for (const way of ['exit', 'stop']) {
  test(`a process that ends (${way}) as its last client goes away counts that request`, options, async () => {
    const app = await run([])
    const gone = request(await app.port, 'GET', '/slow', { abortAfter: 200 })
    await sleep(100)
    app.child.send(way)
    assert.equal(await gone, 'aborted')
    assert.deepEqual(await app.ended, { code: 0, signal: null })
    assert.deepEqual(counts(app.reports), { 'GET /slow aborted': 1 })
    assert.equal(app.reports[app.reports.length - 1].http.inflight, 0)
  })
}

// What the process does must be what it does without us.
const ends = [
  { path: '/uncaught', kind: 'uncaught', name: 'Error', message: 'uncaught' },
  { path: '/throw-text', kind: 'uncaught', name: 'NonError', message: 'text' },
  { path: '/rejection', kind: 'rejection', name: 'Error', message: 'rejected' },
  { path: '/rejection-text', kind: 'rejection', name: 'NonError', message: 'text' },
  { path: '/uncaught', kind: 'uncaught', name: 'Error', message: 'uncaught', handler: 'uncaught' },
  { path: '/rejection-text', kind: 'rejection', name: 'NonError', message: 'text', handler: 'uncaught' },
  { path: '/rejection', kind: 'rejection', name: 'Error', message: 'rejected', handler: 'rejection' },
  { path: '/rejection', kind: 'rejection', name: 'Error', message: 'rejected', flag: '--unhandled-rejections=warn' },
  { path: '/rejection', kind: 'rejection', name: 'Error', message: 'rejected', flag: '--unhandled-rejections=strict' }
]
for (const { path: p, kind, name, message, handler = '', flag } of ends) {
  test(`${p}${handler && ` with a handler of ${handler}`}${flag ? ` and ${flag}` : ''} ends as without us, and is seen once`, options, async () => {
    const flags = flag === undefined ? [] : [flag]
    const plain = await run([p], { HANDLER: handler }, flags)
    const app = await run([p], { HANDLER: handler }, [...flags, '--require', require('../helpers/child.js').register])
    await sleep(100)
    const [without, mine] = await Promise.all([plain.stop(), app.stop()])
    assert.deepEqual(mine, without)
    const clean = (text) => text.replace(/\(node:\d+\)/g, '').replace(/^\s+at .*\n/gm, '')
    assert.equal(clean(app.stderr), clean(plain.stderr))
    assert.deepEqual(app.messages.find((m) => m.listeners).listeners, plain.messages.find((m) => m.listeners).listeners)
    assert.deepEqual(app.exceptions.map((e) => [e.kind, e.name, e.message, e.handled]), [[kind, name, message, false]])
    assert.equal(app.reports[app.reports.length - 1].exceptions[kind], 1)
  })
}
