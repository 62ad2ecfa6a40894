'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { where } = require('../../lib/where.js')

const container = '/usr/lib/node_modules/pm2/lib/ProcessContainerFork.js'
const clusterContainer = '/usr/lib/node_modules/pm2/lib/ProcessContainer.js'
const proc = (argv1, env = {}, more = {}) => ({ versions: { node: '20' }, argv: ['node', argv1], env: { pm_id: '0', PM2_HOME: '/nonexistent', ...env }, ppid: 2 ** 30, ...more })

test('an app under PM2', () => {
  const place = where(proc(container, { pm_exec_path: '/srv/app.js' }))
  assert.equal(place.reason, null)
  assert.equal(place.direct, true)
  assert.equal(place.pmId, 0)
})

test('in cluster mode the environment is in pm2_env', () => {
  const given = { pm_id: 7, PM2_HOME: '/home/x/.pm2', pm_exec_path: '/srv/app.js', PM25_EXT_SLOW: '1' }
  const place = where(proc(clusterContainer, { pm_id: undefined, pm2_env: JSON.stringify(given) }))
  assert.equal(place.reason, null)
  assert.equal(place.pmId, 7)
  assert.equal(place.home, '/home/x/.pm2')
  assert.equal(place.env.PM25_EXT_SLOW, '1')
  assert.equal(where(proc(clusterContainer, { pm_id: undefined, pm2_env: 'broken' })).reason, 'not under PM2')
})

test('a child of the app is an app, but not on PM2’s bus', () => {
  assert.equal(where(proc('/srv/worker.js')).direct, false)
  assert.equal(where(proc('/srv/worker.js')).reason, null)
})

test('a worker of the app’s own cluster runs PM2’s script, but below the app', () => {
  assert.equal(where(proc(container, { pm_exec_path: '/srv/app.js', NODE_UNIQUE_ID: '1' })).direct, false)
})

test('below PM2’s daemon directly', () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
  fs.writeFileSync(path.join(home, 'pm2.pid'), String(2 ** 30) + '\n')
  assert.equal(where(proc('/srv/app.js', { PM2_HOME: home })).direct, true)
  fs.rmSync(home, { recursive: true })
})

const inert = {
  'outside PM2': [proc('/srv/app.js', { pm_id: undefined }), 'not under PM2'],
  'pm_id that is none': [proc('/srv/app.js', { pm_id: 'x' }), 'not under PM2'],
  Bun: [proc('/srv/app.js', {}, { versions: { bun: '1.2' } }), 'Bun is not supported'],
  'turned off': [proc('/srv/app.js', { PM25_EXT: 'off' }), 'turned off by PM25_EXT'],
  daemon: [proc('/usr/lib/node_modules/pm2/lib/Daemon.js'), 'PM2 itself'],
  cli: [proc('/usr/bin/pm2'), 'PM2 itself'],
  'cli in its package': [proc('/usr/lib/node_modules/pm2/bin/pm2'), 'PM2 itself'],
  runtime: [proc('/usr/local/bin/pm2-runtime'), 'PM2 itself'],
  npm: [proc('/usr/lib/node_modules/npm/bin/npm-cli.js'), 'a program that starts the app'],
  'npm started by PM2': [proc(container, { pm_exec_path: '/usr/bin/npm' }), 'a program that starts the app'],
  npx: [proc('/usr/bin/npx'), 'a program that starts the app'],
  yarn: [proc('/srv/.yarn/releases/yarn-4.1.0.cjs'), 'a program that starts the app'],
  'yarn 1': [proc('/usr/share/yarn/bin/yarn.js'), 'a program that starts the app'],
  pnpm: [proc('/usr/lib/node_modules/pnpm/bin/pnpm.cjs'), 'a program that starts the app'],
  corepack: [proc('/usr/lib/node_modules/corepack/dist/corepack.js'), 'a program that starts the app'],
  'npm of a distribution': [proc('/usr/share/nodejs/npm/bin/npm-cli.js'), 'a program that starts the app'],
  nodemon: [proc('/srv/node_modules/.bin/nodemon'), 'a program that starts the app'],
  tsx: [proc('/srv/node_modules/tsx/dist/cli.mjs'), 'a program that starts the app']
}
for (const [name, [given, reason]] of Object.entries(inert)) {
  test(`inert: ${name}`, () => assert.equal(where(given).reason, reason))
}

test('apps with such names are apps', () => {
  for (const script of ['/srv/npm-stats/server.js', '/srv/pm2-web/app.js', '/srv/yarn/index.js', '/home/pm2/app.js', '/srv/pm2/bin.js', '/srv/tools/yarn.js', '/srv/corepack.js', '/srv/npm/index.js']) {
    assert.equal(where(proc(script)).reason, null, script)
  }
})
