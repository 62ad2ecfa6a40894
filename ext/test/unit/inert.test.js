'use strict'

const test = require('node:test')
const assert = require('node:assert/strict')
const fs = require('fs')
const os = require('os')
const path = require('path')
const { execFileSync, spawnSync } = require('child_process')
const { start, register, ext } = require('../helpers/child.js')

const options = { timeout: 20000 }
const node = (args, env = {}) => execFileSync(process.execPath, args, { env: { PATH: process.env.PATH, ...env }, encoding: 'utf8' })
const status = `const s = require(${JSON.stringify(ext)}).status(); console.log(JSON.stringify(s))`
const app = { pm_id: '0', PM2_HOME: '/nonexistent' }

test('plain node', options, () => {
  const out = JSON.parse(node(['--require', register, '-e', status]))
  assert.deepEqual(out, { active: false, reason: 'not under PM2', transport: null, failures: {} })
})

test('an app under PM2', options, () => {
  assert.deepEqual(JSON.parse(node(['--require', register, '-e', status], app)), { active: true, reason: null, transport: 'socket', failures: {} })
})

test('PM25_EXT=off', options, () => {
  assert.match(node(['--require', register, '-e', status], { ...app, PM25_EXT: 'off' }), /turned off by PM25_EXT/)
})

test('a worker thread', options, () => {
  const code = `const { Worker } = require('worker_threads'); new Worker(${JSON.stringify(status)}, { eval: true })`
  assert.match(node(['--require', register, '-e', code], app), /not the main thread/)
})

test('npm', options, () => {
  const out = spawnSync('npm', ['--version'], { env: { PATH: process.env.PATH, HOME: os.tmpdir(), ...app, NODE_OPTIONS: `--require ${register}` }, encoding: 'utf8' })
  assert.match(out.stdout, /^\d+\.\d+/)
  assert.equal(out.stderr, '')
})

test('the process ends by itself', options, () => {
  const before = Date.now()
  node(['--require', register, '-e', '0'], app)
  assert.ok(Date.now() - before < 3000)
})

test('an empty file in the place of the preload, as after removal', options, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
  fs.writeFileSync(path.join(folder, 'register.cjs'), '')
  assert.equal(node(['--require', path.join(folder, 'register.cjs'), '-p', '1+1']), '2\n')
  fs.rmSync(folder, { recursive: true })
})

test('a preload without the rest of the package does not throw', options, () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
  fs.copyFileSync(register, path.join(folder, 'register.cjs'))
  assert.equal(node(['--require', path.join(folder, 'register.cjs'), '-p', '1+1'], app), '2\n')
  fs.rmSync(folder, { recursive: true })
})

test('require and import of the package', options, () => {
  const out = node(['--input-type=module', '-e', `
    import ext, { init, notifyError, event, middleware, status, version } from ${JSON.stringify(path.join(ext, 'index.mjs'))}
    console.log(init({ slow: 1 }), typeof notifyError, typeof event, status().active, ext.version === version)
    middleware({}, {}, () => console.log('passed on'))
    notifyError(new Error('x'), { a: 1 })
    event('x', null)
    try { init({ slowness: 1 }) } catch (err) { console.log(err.message) }
  `], app)
  assert.equal(out, 'true function function true true\npassed on\npm25-ext: there is no option "slowness"; options are http, runtime, exceptions, interval, maxRoutes, maxSeries, slow, target, signals, transport\n')
})

test('outside PM2 the API does nothing', options, () => {
  const out = node(['-e', `const e = require(${JSON.stringify(ext)}); console.log(e.init({ slow: 1 })); e.notifyError(new Error('x')); e.event('x'); try { e.init({ slow: 'x' }) } catch (err) { console.log(err.message) }`])
  assert.equal(out, 'false\npm25-ext: option "slow" must be a number from 0 to 3600\n')
})

test('a preload and a copy in the app are one', options, async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pm25-'))
  fs.cpSync(path.join(ext, 'lib'), path.join(folder, 'lib'), { recursive: true })
  for (const file of ['index.js', 'package.json']) fs.copyFileSync(path.join(ext, file), path.join(folder, file))
  const script = path.join(folder, 'app.js')
  fs.writeFileSync(script, `const e = require('./index.js'); e.init({ target: true }); e.event('once'); setTimeout(() => process.exit(), 50)`)
  const child = start(script)
  await child.ended
  assert.equal(child.events.length, 1)
  assert.equal(child.reports.length, 1)
  fs.rmSync(folder, { recursive: true })
})
