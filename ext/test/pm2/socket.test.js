'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const path = require('path')
const { withPM2, total, available } = require('../helpers/pm2.js')
const { listen } = require('../helpers/agent.js')
const { register } = require('../helpers/child.js')
const { request, sleep } = require('../helpers/requests.js')
const { record } = require('../helpers/record.js')
const { freePort, listening } = require('../helpers/port.js')

const options = { timeout: 60000, skip: available ? false : 'PM2 is not installed; run `make pm2`' }
const script = path.join(__dirname, 'apps/web.js')

/** Starts an app, makes requests, stops it, and returns what the agent's socket was told. */
async function run (pm2, app, env) {
  const port = await freePort()
  await pm2.run('ping')
  const agent = await listen(pm2.home)
  await pm2.start({ name: 'web', ...app, env: { PORT: String(port), ...env } })
  await listening(port)
  for (let i = 0; i < 9; i++) await request(port, 'GET', '/x')
  await sleep(1500)
  await pm2.run('stop', 'web')
  await pm2.until('the last report', () => total(agent.reports())['GET /x 2xx'] === 9)
  await agent.close()
  assert.equal(pm2.reports().length, 0, 'nothing on the bus')
  assert.deepEqual([...new Set(agent.lines.map((line) => line.pm_id))], [0])
  return agent
}

test('an app that PM2 runs through npm tells the agent itself', options, () => withPM2(async (pm2) => {
  const folder = path.join(pm2.home, 'shop')
  fs.mkdirSync(folder)
  fs.writeFileSync(path.join(folder, 'package.json'), JSON.stringify({ scripts: { start: `node ${script}` } }))
  const agent = await run(pm2, { script: 'npm', args: 'start', cwd: folder, node_args: '' }, { NODE_OPTIONS: `--require ${register}` })
  const pids = new Set(agent.reports().map((r) => r.pid))
  assert.equal(pids.size, 1, 'npm itself is silent')
  record('socket-npm', pm2, agent.lines)
}))

test('on a host linked to PM2 Plus the bus is left alone', options, () => withPM2(async (pm2) => {
  await run(pm2, { script }, { KEYMETRICS_SECRET: 'x' })
}))

test('workers of an app’s own cluster tell the agent, and not the app', options, () => withPM2(async (pm2) => {
  const port = await freePort()
  await pm2.run('ping')
  const agent = await listen(pm2.home)
  await pm2.start({ name: 'web', script: path.join(__dirname, 'apps/own-cluster.js'), env: { PORT: String(port) } })
  await listening(port)
  for (let i = 0; i < 9; i++) await request(port, 'GET', '/x')
  await pm2.run('stop', 'web')
  await pm2.until('the last reports', () => total(agent.reports())['GET /x 2xx'] === 9)
  assert.ok(pm2.reports().length > 0, 'the primary is on the bus')
  // PM2's own probes do speak to the app there.
  assert.ok(!/unexpected: .*pm25:/.test(pm2.log()), pm2.log())
  await agent.close()
}))
