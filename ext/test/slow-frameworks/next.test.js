'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const { execFileSync } = require('child_process')
const fs = require('fs')
const path = require('path')
const { start, counts, register } = require('../helpers/child.js')
const { request, sleep } = require('../helpers/requests.js')
const { checkBuckets, checkNoQuery } = require('../helpers/check.js')
const { freePort, listening } = require('../helpers/port.js')

const folder = path.join(__dirname, 'next-app')
const next = path.join(__dirname, 'node_modules/next/dist/bin/next')
const standalone = path.join(folder, '.next/standalone/next-app/server.js')
const skip = fs.existsSync(next) ? false : 'run `npm ci --ignore-scripts` in test/slow-frameworks'
const env = { NEXT_TELEMETRY_DISABLED: '1', NODE_ENV: 'production' }

function build () {
  if (!fs.existsSync(standalone)) {
    execFileSync(process.execPath, [next, 'build'], { cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore', timeout: 240000 })
  }
  fs.cpSync(path.join(folder, '.next/static'), path.join(path.dirname(standalone), '.next/static'), { recursive: true })
}

async function check (script, args, port) {
  const app = start(script, { args, env: { ...env, PORT: String(port), HOSTNAME: '127.0.0.1' }, execArgv: ['--require', register] })
  try {
    await listening(port)
    const chunk = fs.readdirSync(path.join(folder, '.next/static/chunks')).find((name) => name.endsWith('.js'))
    const get = (target) => request(port, 'GET', target)
    await get('/?token=hunter2')
    for (let i = 1; i <= 3; i++) await get(`/blog/post-${i}?token=hunter2`)
    for (let i = 1; i <= 4; i++) await get(`/api/items/${i}`)
    for (let i = 1; i <= 2; i++) await get(`/old/name-${i}`)
    for (let i = 1; i <= 2; i++) await get(`/api/legacy/${i}`)
    await get('/api/items/fail')
    await get('/nope/1')
    await get('/nope/2')
    await get(`/_next/static/chunks/${chunk}`)
    await sleep(200)
  } finally {
    await app.stop()
  }
  assert.deepEqual(counts(app.reports), {
    'GET / 2xx': 1,
    'GET /blog/[slug] 2xx': 3,
    'GET /api/items/[id] 2xx': 4,
    'GET /api/items/[id] 5xx': 1,
    'GET /old/[name] 2xx': 2,
    'GET /api/legacy/[id] 2xx': 2,
    'GET (unmatched) 4xx': 2,
    'GET (static) 2xx': 1
  })
  checkBuckets(app.reports)
  checkNoQuery(app)
}

test('next start: app and pages router', { timeout: 300000, skip }, async () => {
  build()
  const port = await freePort()
  await check(next, ['start', folder, '-p', String(port), '-H', '127.0.0.1'], port)
})

test('a standalone Next', { timeout: 300000, skip }, async () => {
  build()
  const port = await freePort()
  await check(standalone, [], port)
})
