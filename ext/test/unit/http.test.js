'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const http = require('http')
const http2 = require('http2')
const net = require('net')
const { once } = require('events')
const { Requests } = require('../../lib/http/requests.js')
const { Guard } = require('../../lib/guard.js')
const { defaults } = require('../../lib/options.js')
const { request, sleep } = require('../helpers/requests.js')

async function serve (handler, fn, settings = {}) {
  const guard = new Guard()
  const requests = new Requests({ ...defaults(), ...settings }, guard)
  requests.subscribe()
  const server = http.createServer(handler).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    await fn(server.address().port, requests, guard)
  } finally {
    requests.unsubscribe()
    server.close()
  }
  return requests
}

const [major, minor] = process.versions.node.split('.').map(Number)
const tellsStreams = major > 24 || (major === 24 && minor >= 2)
const rows = (requests) => requests.report(true).series.map((row) => `${row[0]} ${row[1]} ${row[2]} ${row[3]}`).sort()

function raw (port, text, wait = 100) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(text))
    socket.on('error', () => {}).resume()
    setTimeout(() => { socket.destroy(); setTimeout(resolve, 50) }, wait)
  })
}

test('an aborted request counts as aborted, and leaves nothing in flight', async () => {
  await serve(() => {}, async (port, requests) => {
    const aborted = request(port, 'GET', '/slow', { abortAfter: 100 })
    await sleep(50)
    assert.equal(requests.report(false).inflight, 1)
    await aborted
    await sleep(50)
    assert.deepEqual(rows(requests), ['GET /slow aborted 1'])
    assert.equal(requests.report(false).inflight, 0)
  })
})

test('odd methods, targets and hosts', async () => {
  await serve((req, res) => res.end(), async (port, requests) => {
    await raw(port, 'PROPFIND /a HTTP/1.1\r\nHost: x\r\n\r\n')
    await raw(port, 'GET http://evil.example/b?c=d HTTP/1.1\r\nHost: "evil\r\n\r\n')
    await raw(port, 'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n')
    await raw(port, 'NONSENSE /a HTTP/1.1\r\nHost: x\r\n\r\n')
    await raw(port, 'GET /%22%0a HTTP/1.0\r\n\r\n')
    assert.deepEqual(rows(requests), ['(other) /a 2xx 1', 'GET /:id 2xx 1', 'GET /b 2xx 1', 'OPTIONS (other) 2xx 1'])
  })
})

test('pipelined requests whose client goes away leave nothing in flight', async () => {
  await serve((req, res) => { if (req.url === '/2') res.end() }, async (port, requests) => {
    await raw(port, 'GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\nGET /3 HTTP/1.1\r\nHost: x\r\n\r\n')
    assert.equal(requests.report(false).inflight, 0)
    assert.equal(requests.report(true).series.reduce((n, row) => n + row[3], 0), 3)
  })
})

test('an upgrade is no request, keep-alive ones are', async () => {
  await serve((req, res) => res.end(), async (port, requests) => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    for (let i = 0; i < 10; i++) await request(port, 'GET', '/a', { agent })
    agent.destroy()
    await sleep(20)
    assert.deepEqual(rows(requests), ['GET /a 2xx 10'])
  })
})

test('slow and failed requests: limits, and no path unless asked for', async () => {
  const handler = (req, res) => { res.statusCode = 500; res.end() }
  await serve(handler, async (port, requests) => {
    for (let i = 0; i < 10; i++) await request(port, 'GET', '/a?token=hunter2')
    for (let k = 0; k < 20; k++) for (let i = 0; i < 2; i++) await request(port, 'GET', `/p${'abcdefghijklmnopqrstuvwxyz'[k]}`)
    await sleep(20)
    const samples = requests.samples.drain()
    assert.equal(samples.length, 20)
    assert.equal(samples.filter((s) => s.r === '/a').length, 3)
    assert.equal(requests.samples.dropped, 30)
    for (const s of samples) assert.ok(!('target' in s))
    assert.match(samples[0].id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    await request(port, 'GET', '/a')
    await sleep(20)
    assert.equal(requests.samples.drain().length, 1)
  })
  await serve(handler, async (port, requests) => {
    await request(port, 'GET', '/users/1?token=hunter2')
    await sleep(20)
    assert.equal(requests.samples.drain()[0].target, '/users/1')
  }, { target: true })
})

test('a failing part turns itself off and leaves the app alone', async () => {
  await serve((req, res) => res.end('ok'), async (port, requests, guard) => {
    guard.onOff('http', () => requests.unsubscribe())
    requests.namer.name = () => { throw new Error('ours') }
    for (let i = 0; i < 5; i++) assert.equal(await request(port, 'GET', '/a'), 200)
    assert.equal(requests.on, false)
    assert.equal(guard.failures.http, 3)
  })
})

test('HTTP/2, where Node tells of streams', { skip: tellsStreams ? false : 'this Node does not' }, async () => {
  const guard = new Guard()
  const requests = new Requests(defaults(), guard)
  requests.subscribe()
  const server = http2.createServer((req, res) => {
    if (req.url === '/slow') return
    res.statusCode = req.url === '/missing' ? 404 : 200
    res.end('ok')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${server.address().port}`)
  for (const path of ['/users/1?token=x', '/users/2', '/missing']) {
    const stream = client.request({ ':path': path }).resume()
    await once(stream, 'close')
  }
  for (const method of ['GET', 'HEAD']) {
    const slow = client.request({ ':path': '/slow', ':method': method })
    await sleep(50)
    slow.close(http2.constants.NGHTTP2_CANCEL)
    await sleep(100)
  }
  client.close()
  server.close()
  requests.unsubscribe()
  assert.deepEqual(rows(requests), ['GET (unmatched) 4xx 1', 'GET /slow aborted 1', 'GET /users/:id 2xx 2', 'HEAD /slow aborted 1'])
  assert.equal(requests.report(false).inflight, 0)
})
