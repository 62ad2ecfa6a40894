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

const folder = path.join(__dirname, 'nuxt-app')
const nuxt = path.join(__dirname, 'node_modules/nuxt/bin/nuxt.mjs')
const server = path.join(folder, '.output/server/index.mjs')
const skip = fs.existsSync(nuxt) ? false : 'run `npm ci --ignore-scripts` in test/slow-frameworks'

// Nitro's output is one bundle whose router nothing outside can ask: paths are folded.
test('Nuxt on Nitro', { timeout: 300000, skip }, async () => {
  if (!fs.existsSync(server)) {
    execFileSync(process.execPath, [nuxt, 'build'], { cwd: folder, env: { ...process.env, NUXT_TELEMETRY_DISABLED: '1' }, stdio: 'ignore', timeout: 240000 })
  }
  const asset = fs.readdirSync(path.join(folder, '.output/public/_nuxt')).find((name) => name.endsWith('.js'))
  const port = await freePort()
  const app = start(server, { env: { PORT: String(port), HOST: '127.0.0.1' }, execArgv: ['--require', register] })
  try {
    await listening(port)
    const get = (target) => request(port, 'GET', target)
    await get('/?token=hunter2')
    for (let i = 1; i <= 3; i++) await get(`/blog/${i}`)
    for (let i = 1; i <= 4; i++) await get(`/api/items/${i}?token=hunter2`)
    await get('/api/items/500')
    await get('/nope/1')
    await get(`/_nuxt/${asset}`)
    await sleep(200)
  } finally {
    await app.stop()
  }
  assert.deepEqual(counts(app.reports), {
    'GET / 2xx': 1,
    'GET /blog/:id 2xx': 3,
    'GET /api/items/:id 2xx': 4,
    'GET /api/items/:id 5xx': 1,
    'GET (unmatched) 4xx': 1,
    'GET (static) 2xx': 1
  })
  checkBuckets(app.reports)
  checkNoQuery(app)
})
