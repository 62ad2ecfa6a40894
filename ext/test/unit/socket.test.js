'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { Socket } = require('../../lib/transport/socket.js')
const { isLinked, choose } = require('../../lib/transport/choose.js')
const { start, counts } = require('../helpers/child.js')
const { listen } = require('../helpers/agent.js')
const { request, sleep } = require('../helpers/requests.js')

const options = { timeout: 30000 }
const script = path.join(__dirname, 'apps/server.js')

async function until (condition) {
  for (let i = 0; i < 160; i++) {
    if (condition()) return
    await sleep(50)
  }
  throw new Error('it did not happen within 8 s')
}

async function withHome (fn) {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
  try {
    await fn(home)
  } finally {
    fs.rmSync(home, { recursive: true, force: true })
  }
}

test('an app tells the agent over its socket, to the end', options, () => withHome(async (home) => {
  const agent = await listen(home)
  const app = start(script, { env: { PM2_HOME: home, PM25_EXT_TRANSPORT: 'auto', PM25_EXT_INTERVAL: '1' } })
  const port = await app.port
  for (let i = 0; i < 3; i++) await request(port, 'GET', '/a')
  await sleep(1500)
  for (let i = 0; i < 4; i++) await request(port, 'GET', '/a')
  await sleep(20)
  await app.stop()
  await sleep(50)
  assert.deepEqual(counts(agent.reports()), { 'GET /a 2xx': 7 })
  assert.ok(agent.lines.every((line) => line.pm_id === 3))
  assert.equal(app.reports.length, 0, 'nothing on the channel, which is not PM2’s')
  await agent.close()
}))

test('an agent that comes late or goes away loses nothing', options, () => withHome(async (home) => {
  const app = start(script, { env: { PM2_HOME: home, PM25_EXT_TRANSPORT: 'socket', PM25_EXT_INTERVAL: '1' } })
  try {
    const port = await app.port
    for (let i = 0; i < 3; i++) await request(port, 'GET', '/a')
    await sleep(200)
    let agent = await listen(home)
    // It tries again every 5 s.
    await until(() => counts(agent.reports())['GET /a 2xx'] === 3)
    await agent.close()
    await request(port, 'GET', '/b')
    agent = await listen(home)
    await until(() => agent.reports().length > 0)
    assert.deepEqual(counts(agent.reports()), { 'GET /a 2xx': 3, 'GET /b 2xx': 1 }, 'a new agent is told everything')
    await agent.close()
  } finally {
    await app.stop()
  }
}))

test('records and reports wait in bounded room', () => withHome(async (home) => {
  const socket = new Socket(home, 0)
  const results = []
  for (let i = 0; i < 500; i++) socket.record('pm25:event', { i })
  for (let i = 0; i < 500; i++) socket.report('pm25:report', { i }, false, (err) => results.push(err))
  assert.equal(socket.records.length, 100)
  assert.equal(results.length, 499, 'each older report was replaced')
  socket.close()
}))

test('hosts linked to PM2 Plus', () => withHome(async (home) => {
  const place = { env: {}, home, direct: true, pmId: 0 }
  assert.equal(isLinked(place), false)
  assert.equal(isLinked({ ...place, env: { KEYMETRICS_SECRET: 'x' } }), true)
  assert.equal(isLinked({ ...place, env: { PM2_SECRET_KEY: 'x' } }), true)
  fs.writeFileSync(path.join(home, 'agent.json5'), '{ "machine_name": "a", "secret_key": null, "public_key": null }')
  assert.equal(isLinked(place), false)
  fs.writeFileSync(path.join(home, 'agent.json5'), "{ machine_name: 'a', secret_key: 'abc', public_key: 'def' }")
  assert.equal(isLinked(place), true)
  assert.equal(choose('auto', place).name, 'socket')
  assert.equal(choose('bus', place).name, 'bus')
  assert.equal(choose('auto', { ...place, direct: false }).name, 'socket')
}))
