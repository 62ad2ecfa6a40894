'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const path = require('path')
const { withPM2, total, available } = require('../helpers/pm2.js')
const { request, sleep } = require('../helpers/requests.js')
const { freePort, listening } = require('../helpers/port.js')
const { checkBuckets } = require('../helpers/check.js')
const { record } = require('../helpers/record.js')

const script = path.join(__dirname, 'apps/web.js')
const skip = available ? false : 'PM2 is not installed; run `make pm2`'
const options = { timeout: 60000, skip }

async function startWeb (pm2, more = {}) {
  const port = await freePort()
  await pm2.start({ name: 'web', script, ...more, env: { PORT: String(port), ...more.env } })
  await listening(port)
  return port
}

const modes = [
  { mode: 'fork', app: {} },
  { mode: 'cluster', app: { exec_mode: 'cluster', instances: 2 } }
]

for (const { mode, app } of modes) {
  test(`${mode}: reports reach the bus, and pm2 stop loses nothing`, options, () => withPM2(async (pm2) => {
    const port = await startWeb(pm2, app)
    for (let i = 0; i < 20; i++) await request(port, 'GET', `/users/${i}?token=hunter2`)
    await request(port, 'GET', '/missing')
    await request(port, 'GET', '/broken')
    await request(port, 'GET', '/late')
    await request(port, 'GET', '/notify')
    await request(port, 'GET', '/event')
    await pm2.until('a report on the timer', () => Object.values(total(pm2.reports())).reduce((a, b) => a + b, 0) >= 25)
    for (let i = 0; i < 7; i++) await request(port, 'GET', '/last')
    await pm2.run('stop', 'web')
    await pm2.until('the last report', () => total(pm2.reports())['GET /last 2xx'] === 7)

    assert.deepEqual(total(pm2.reports()), {
      'GET /users/:id 2xx': 20,
      'GET (unmatched) 4xx': 1,
      'GET /broken 5xx': 1,
      'GET /late 2xx': 1,
      'GET /notify 2xx': 1,
      'GET /event 2xx': 1,
      'GET /last 2xx': 7
    })
    const instances = mode === 'fork' ? 1 : 2
    const reports = pm2.reports()
    assert.equal(new Set(reports.map((r) => r.pid)).size, instances)
    for (const pid of new Set(reports.map((r) => r.pid))) {
      const own = reports.filter((r) => r.pid === pid)
      checkBuckets(own)
      assert.deepEqual(own.map((r) => r.seq), own.map((r, i) => i + 1), 'no report is missing')
      assert.equal(own[0].full, true)
      assert.equal(own[own.length - 1].full, true)
      assert.equal(own[0].node, process.versions.node)
    }
    for (const message of pm2.of('pm25:report')) assert.equal(message.process.name, 'web')
    assert.ok(!JSON.stringify(pm2.messages.filter((m) => m.topic.startsWith('pm25:'))).includes('hunter2'))
    const slow = reports.flatMap((r) => r.slow)
    assert.deepEqual(slow.map((s) => [s.r, s.c]).sort(), [['/broken', 500], ['/late', 200]])
    const [notified] = pm2.exceptions()
    assert.deepEqual([notified.kind, notified.handled, notified.context], ['notified', true, { order: 7, password: '[redacted]' }])
    const [placed] = pm2.of('pm25:event')
    assert.deepEqual([placed.data.name, placed.data.data], ['order.placed', { order: 7 }])
    record(`${mode}-requests`, pm2)
  }))

  test(`${mode}: an uncaught exception with its causes, and the last report`, options, () => withPM2(async (pm2) => {
    const port = await startWeb(pm2, app)
    await request(port, 'GET', '/throw')
    const e = await pm2.until('the exception', () => pm2.exceptions()[0])
    await pm2.until('the last report', () => total(pm2.reports())['GET /throw 2xx'] === 1)
    assert.equal(e.kind, 'uncaught')
    assert.equal(e.handled, false)
    assert.equal(e.name, 'OrderError')
    assert.deepEqual(e.causes.map((c) => [c.name, c.message]), [['TypeError', 'no stock'], ['Error', 'connection refused']])
    assert.match(e.stack, /web\.js/)
    const [process] = pm2.of('process:exception')
    assert.equal(process.data.message, 'order failed', 'PM2 still sees it')
    const last = pm2.reports().filter((r) => r.pid === e.pid).pop()
    assert.equal(last.exceptions.uncaught, 1)
    record(`${mode}-uncaught`, pm2)
  }))

  test(`${mode}: a rejection of a string; the process lives on, as without us`, options, () => withPM2(async (pm2) => {
    const port = await startWeb(pm2, app)
    await request(port, 'GET', '/reject')
    const e = await pm2.until('the exception', () => pm2.exceptions()[0])
    assert.deepEqual([e.kind, e.handled, e.name, e.message], ['rejection', false, 'NonError', 'just a string'])
    await sleep(200)
    assert.equal(await request(port, 'GET', '/alive'), 200)
    assert.equal(pm2.of('process:event').filter((m) => m.event === 'exit').length, 0)
    record(`${mode}-rejection`, pm2)
  }))

  test(`${mode}: process.exit loses nothing`, options, () => withPM2(async (pm2) => {
    const port = await startWeb(pm2, { ...app, instances: 1, env: { PM25_EXT_INTERVAL: '60' } })
    for (let i = 0; i < 5; i++) await request(port, 'GET', '/x')
    await request(port, 'GET', '/exit')
    await pm2.until('the last report', () => total(pm2.reports())['GET /exit 2xx'] === 1)
    assert.deepEqual(total(pm2.reports()), { 'GET /x 2xx': 5, 'GET /exit 2xx': 1 })
  }))
}

test('fork without pmx: a rejection still ends the process with code 1', options, () => withPM2(async (pm2) => {
  const port = await startWeb(pm2, { pmx: false })
  await request(port, 'GET', '/reject')
  await pm2.until('the exit', () => pm2.of('process:event').find((m) => m.event === 'exit'))
  const exit = pm2.of('process:event').find((m) => m.event === 'exit')
  assert.equal(exit.process.exit_code, 1)
  await pm2.until('the report', () => pm2.reports().some((r) => r.exceptions.rejection === 1))
  const kinds = pm2.exceptions().map((e) => [e.kind, e.message])
  assert.deepEqual(kinds, [['rejection', 'just a string']], 'once, and as what it was')
}))

test('fork without pmx: an uncaught exception ends the process with code 1', options, () => withPM2(async (pm2) => {
  const port = await startWeb(pm2, { pmx: false })
  await request(port, 'GET', '/throw')
  const exit = await pm2.until('the exit', () => pm2.of('process:event').find((m) => m.event === 'exit'))
  assert.equal(exit.process.exit_code, 1)
  assert.deepEqual(pm2.exceptions().map((e) => e.name), ['OrderError'])
}))

test('pm2 reload of a cluster under load loses no request', options, () => withPM2(async (pm2) => {
  const port = await startWeb(pm2, { exec_mode: 'cluster', instances: 2 })
  let answered = 0
  let on = true
  const client = async () => {
    while (on) {
      try {
        if (await request(port, 'GET', '/users/1') === 200) answered++
      } catch {
        // A worker that is told to end may drop what it has not answered.
      }
      await sleep(2)
    }
  }
  const clients = [client(), client(), client()]
  await sleep(500)
  await pm2.run('reload', 'web')
  await sleep(500)
  on = false
  await Promise.all(clients)
  await pm2.run('stop', 'web')
  await sleep(300)
  const counted = total(pm2.reports())['GET /users/:id 2xx']
  assert.ok(answered > 50, `only ${answered} requests`)
  assert.equal(counted, answered)
  assert.equal(new Set(pm2.reports().map((r) => r.pid)).size, 4)
  record('cluster-reload', pm2)
}))

test('errors that Express handled, with their routes', options, () => withPM2(async (pm2) => {
  await pm2.start({ name: 'shop', script: path.join(__dirname, '../frameworks/apps/express.js') })
  const port = await pm2.until('listening', () => {
    const said = pm2.of('process:msg').find((m) => m.raw !== undefined && m.raw.port !== undefined)
    return said === undefined ? 0 : said.raw.port
  })
  for (let i = 1; i <= 12; i++) await request(port, 'GET', '/api/v1/fail')
  await request(port, 'GET', '/api/v1/orders/7/items/9')
  await pm2.run('stop', 'shop')
  await pm2.until('the last report', () => total(pm2.reports())['GET /api/v1/fail 5xx'] === 12)
  assert.equal(pm2.exceptions().length, 10, 'the limit for one kind')
  assert.deepEqual(pm2.exceptions()[0].route, { m: 'GET', r: '/api/v1/fail' })
  assert.equal(pm2.reports().pop().exceptions.handled, 12, 'counts are exact')
  record('fork-handled', pm2)
}))

test('environment variables work in both modes', options, () => withPM2(async (pm2) => {
  for (const { mode, app } of modes) {
    const port = await freePort()
    await pm2.start({ name: mode, script, ...app, instances: 1, env: { PORT: String(port), PM25_EXT_RUNTIME: 'off', PM25_EXT_TARGET: 'on' } })
    await listening(port)
    await request(port, 'GET', '/broken?token=hunter2')
    await pm2.run('stop', mode)
    const own = pm2.of('pm25:report').filter((m) => m.process.name === mode).map((m) => m.data)
    assert.ok(own.length > 0, `no report in ${mode} mode`)
    assert.equal(own[0].runtime, null)
    assert.equal(own.flatMap((r) => r.slow)[0].target, '/broken')
  }
}))

test('PM2_NODE_OPTIONS and NODE_OPTIONS of the daemon leave PM2 alone', options, () => withPM2(async (pm2) => {
  const port = await startWeb(pm2, { node_args: '' })
  await request(port, 'GET', '/x')
  // The CLI and the daemon have the preload; the app, which the daemon forks, inherits nothing in fork mode.
  const list = JSON.parse(await pm2.run('jlist'))
  assert.equal(list[0].pm2_env.status, 'online')
}, { NODE_OPTIONS: `--require ${path.join(__dirname, '../../register.cjs')}` }))
